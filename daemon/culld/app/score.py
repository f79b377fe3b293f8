"""`culld score`: the page without its last stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.app.engine_pool import open_pool
from culld.app.model_files import resolve_policies
from culld.clock import SystemClock
from culld.errors import PhotoError
from culld.imaging.supported import supported_extensions
from culld.pipeline import one_ahead
from culld.records import Assessment, Mode, Photo, ReadFailure, RootedPath, Scores, Verdict
from culld.stages.decide.decide import decide
from culld.stages.group.grouping import Grouper
from culld.stages.plan import user_metadata_request
from culld.stages.read import PoolReader
from culld.stages.watch.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from culld.config import Config
    from culld.inference.pool import Pool
    from culld.records import FileSnapshot, Policy, Stack


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """What `culld score` tells of one file; `scores` is None when it could not be read."""

    path: Path
    scores: Scores | None
    verdict: Verdict
    reason: str
    model: str


def find(paths: Sequence[Path]) -> tuple[list[FileSnapshot], list[Path]]:
    """The files named, and the photos in the folders named, in order; and the paths that are neither."""
    scanner = Scanner(supported_extensions())
    found: list[FileSnapshot] = []
    missing: list[Path] = []
    for path in paths:
        place = RootedPath(path.parent, path.relative_to(path.parent))
        if path.is_dir():
            found += sorted(scanner.scan(path), key=lambda sighting: sighting.place.relative)
        elif (sighting := scanner.find(place)) is not None:
            found.append(sighting)
        else:
            missing.append(path)
    return found, missing


def score(found: Sequence[FileSnapshot], config: Config, pool: Pool) -> Iterator[ScoreResult]:
    """Judge files in batches by the policy, as if it were allowed to move; files are only read.

    What belongs together is told within a batch; what was judged before, or restored, is not looked up.
    """
    door = PoolReader(pool)
    rules = replace(resolve_policies(config).default, mode=Mode.ENFORCE)
    size = config.batch.size
    for reading in one_ahead(
        lambda batch: door.read(batch, {}), (found[start : start + size] for start in range(0, len(found), size))
    ):
        answers = [answer for answer in reading if not isinstance(answer, Photo)]  # nothing was judged before
        assessed = [answer for answer in answers if isinstance(answer, Assessment)]
        stacks = {stack.primary.photo.place: stack for stack in Grouper().group(assessed)}
        for answer in answers:
            yield _fault(answer) if isinstance(answer, ReadFailure) else _judge(stacks[answer.photo.place], rules, door)


def _fault(fault: ReadFailure) -> ScoreResult:
    return ScoreResult(fault.sighting.place.path, None, Verdict.UNREADABLE, fault.reason, "")


def _judge(stack: Stack, rules: Policy, door: PoolReader) -> ScoreResult:
    lead = stack.primary
    plan = decide(stack, rules, now=SystemClock().now(), plan_id="", restored=False)
    if plan.would_reject:
        (care,) = door.user_metadata([user_metadata_request(stack)])
        if isinstance(care, PhotoError):  # it went away this moment
            return ScoreResult(lead.photo.place.path, None, Verdict.UNREADABLE, str(care), lead.model)
        stack = replace(stack, user_metadata=care)
        plan = decide(stack, rules, now=plan.made_at, plan_id="", restored=False)
    scores = lead.result if isinstance(lead.result, Scores) else None
    return ScoreResult(lead.photo.place.path, scores, plan.verdict, plan.reason, lead.model)


def score_files(config: Config, found: Sequence[FileSnapshot]) -> Iterator[ScoreResult]:
    """Score the files that `find` gave, with worker processes of its own; raises SystemFaultError without a model."""
    with open_pool(config) as pool:
        yield from score(found, config, pool)
