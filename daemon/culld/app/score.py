"""The use case `score`: the pipeline up to the decision, and the judgement of clips; files are only read."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.app.clip import ClipJudges
from culld.app.engine_pool import open_pool
from culld.app.model_files import resolve_policies
from culld.clock import SystemClock
from culld.errors import PhotoError
from culld.imaging.clip_containers import is_clip_name
from culld.imaging.formats import supported_extensions
from culld.records import Assessment, Mode, Photo, ReadFailure, RootedPath, Scores, Verdict
from culld.rules import REGION_VARIABLES
from culld.stages.decide.decider import Decider
from culld.stages.group.grouping import Grouper, SeriesHold
from culld.stages.read import PoolReader, read_ahead
from culld.stages.watch.scanner import Scanner
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from culld.app.clip import ClipResult
    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.records import Decision, FileSnapshot, Subject


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """The result for one file; `scores` and `subject` are None if it could not be read."""

    path: Path
    scores: Scores | None
    verdict: Verdict
    reason: str
    model: str
    subject: Subject | None = None


def find(paths: Sequence[Path]) -> tuple[list[FileSnapshot], list[Path]]:
    """Return the named files, and the photos below the named folders, in order, and the paths that are neither.

    Clips are judged only if they are named: one takes as long as hundreds of photos.
    """
    scanner = Scanner(supported_extensions())
    found: list[FileSnapshot] = []
    missing: list[Path] = []
    for path in paths:
        place = RootedPath(path.parent, path.relative_to(path.parent))
        if path.is_dir():
            found += sorted(scanner.scan(path), key=lambda snapshot: snapshot.place.relative)
        elif (snapshot := scanner.find(place)) is not None:
            found.append(snapshot)
        else:
            missing.append(path)
    return found, missing


def score(found: Sequence[FileSnapshot], config: Config, pool: Pool) -> Iterator[ScoreResult]:
    """Judge files in batches by the policy in mode enforce, and yield the results in order; files are only read.

    Stacks and series are recognised within a batch only; the journal is not read.
    """
    policy = replace(resolve_policies(config).default, mode=Mode.ENFORCE)
    reader = PoolReader(pool, measure=True, segment=lambda: policy.names(REGION_VARIABLES))
    decider = Decider(
        lambda _: policy, lambda _: False, reader.user_metadata, SystemClock(), SeriesHold(), compare=reader.compare
    )
    size = config.batch.size
    batches = (found[start : start + size] for start in range(0, len(found), size))
    for batch in read_ahead(reader, batches, list, UnexpectedErrors()):
        answers = [
            answer for answer in reader.read(batch) if not isinstance(answer, Photo)
        ]  # no Photo: without `known` every file is scored
        assessed = [answer for answer in answers if isinstance(answer, Assessment)]
        stacks = Grouper().group(assessed)
        decisions = dict(zip((stack.primary.photo.place for stack in stacks), decider.decide(stacks), strict=True))
        for answer in answers:
            if isinstance(answer, ReadFailure):
                yield _failed(answer)
            else:
                yield _scored(answer, decisions[answer.photo.place])


def _failed(failure: ReadFailure) -> ScoreResult:
    return ScoreResult(failure.snapshot.place.path, None, Verdict.UNREADABLE, failure.reason, "")


def _scored(photo: Assessment, decision: Decision | PhotoError) -> ScoreResult:
    path = photo.photo.place.path
    if isinstance(decision, PhotoError):  # the photo was removed after it was read
        return ScoreResult(path, None, Verdict.UNREADABLE, str(decision), photo.model)
    scores = photo.result if isinstance(photo.result, Scores) else None
    return ScoreResult(path, scores, decision.verdict, decision.reason, photo.model, photo.subject)


def score_files(config: Config, found: Sequence[FileSnapshot]) -> Iterator[ScoreResult | ClipResult]:
    """Score the files that `find` returned, in new worker processes; raises SystemFaultError without a model.

    The results have the order of the files. A clip does not end a batch of photos, in which series are recognised.
    """
    photos = [each for each in found if not is_clip_name(each.place.relative.name)]
    with contextlib.ExitStack() as stack:
        clips = stack.enter_context(ClipJudges(config))
        scored = score(photos, config, stack.enter_context(open_pool(config))) if photos else iter(())
        for each in found:
            yield clips.judge(each.place) if is_clip_name(each.place.relative.name) else next(scored)
