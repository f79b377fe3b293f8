"""What the page shows about photos: a line for a tile, and all facts of one photo as `culld why --json` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from culld.app.burst_lookup import find_burst_view
from culld.app.decision_json import burst_json, decision_json, explanation_json, facts_json
from culld.app.review.columns import STATES
from culld.records import Defect, Format, Scores, display_path
from culld.stages.decide.decide import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culld.app.review.index import Index
    from culld.journal.review import ReviewReader
    from culld.records import (
        Assessment,
        FileStat,
        FolderPolicies,
        Policy,
        RecordedDecision,
        RootedPath,
    )

MOST_TILES = 200
"""The largest number of photos in one request for tiles."""


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """Where the file of a decision is now, the digest of its bytes, and its stamp then; None if it is not known.

    With `is_exact` no other bytes than those of the digest are shown.
    """

    place: RootedPath
    digest: str
    stamp: FileStat | None
    is_exact: bool = False


def photo_file(journal: ReviewReader, number: int) -> PhotoFile | None:
    """Return the file of a decision; None if there is no decision with this number."""
    found = journal.file_of(number)
    return None if found is None else PhotoFile(*found)


def tiles(journal: ReviewReader, index: Index, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the facts of some photos for their tiles, in the order of `ids`; unknown numbers are left out."""
    found = journal.numbered(ids)
    return [_tile(number, found[number], index) for number in dict.fromkeys(ids) if number in found]


def photo_facts(journal: ReviewReader, index: Index, number: int, policies: FolderPolicies) -> dict[str, Any] | None:
    """Return all facts of a photo; None if there is no decision with this number."""
    case = journal.numbered([number]).get(number)
    if case is None:
        return None
    policy = policies.by_root.get(case.place.root, policies.default)
    places = [case.place] if case.now == case.place else [case.place, case.now]
    history = {each.plan: each for place in places for each in journal.history_of(place)}
    burst = find_burst_view(journal, [*history.values(), case], policy)
    return (
        _tile(number, case, index)
        | explanation_json(case, policy)
        | {
            "mode": policy.mode,
            "enhance": policy.enhance,
            "keywords": list(case.keywords),
            "note": case.note,
            "fault": case.fault,
            "facts": facts_json(case) | {"series": case.series and case.series.kind},
            "burst": index.burst_of(number),
            "burst_view": burst_json(burst),
            "stack": [display_path(place.path) for place in case.siblings],
            "history": [decision_json(each) for each in sorted(history.values(), key=lambda each: each.made_at)],
            "would_change": would_change(case, policy),
        }
    )


def _tile(number: int, case: RecordedDecision, index: Index) -> dict[str, Any]:
    state = index.state_of(number)
    taken = case.photo.camera.taken_at
    width, height = _upright_size(case.stack.primary)
    return {
        "id": number,
        "name": display_path(Path(case.place.relative.name)),
        "folder": display_path(case.place.path.parent),
        "state": None if state is None else STATES[state],
        "verdict": case.verdict,
        "reason": case.reason,
        "width": width,
        "height": height,
        "taken_at": taken and taken.isoformat(),
        "digest": case.now_digest,
    }


def _upright_size(assessment: Assessment) -> tuple[int | None, int | None]:
    """Return width and height of the upright photo in pixels; None if they are not known."""
    if assessment.full_size is None:
        return None, None
    width, height = assessment.full_size
    return (height, width) if assessment.photo.camera.orientation > 4 else (width, height)


HIGH: Final = 0.999
"""Probabilities above it are shown with four digits."""


def would_change(case: RecordedDecision, policy: Policy) -> list[str]:
    """Return sentences on how far each score is from the thresholds in force, the nearest one first."""
    scores, photo = case.scores, case.photo
    if not isinstance(scores, Scores) or (photo.format is Format.VIDEO and policy.clips is None):
        return []
    near = sorted(
        (abs(scores.of(defect) - limit), _sentence(case, defect, name, limit))
        for defect in scores.known
        for name, limit in _limits(policy.about(photo.format), defect).items()
    )
    return [sentence for _, sentence in near]


def _limits(policy: Policy, defect: Defect) -> Mapping[str, float]:
    threshold = policy.of(defect)
    return {"tag": threshold.tag} | ({} if threshold.reject is None else {"reject": threshold.reject})


def _sentence(case: RecordedDecision, defect: Defect, name: str, limit: float) -> str:
    effect, score = {"tag": "tagged", "reject": "rejected"}[name], case.score(defect)
    key = key_of(case.stack.primary, defect, name)
    shown = format(score, ".4f" if score > HIGH else ".3f")
    if score >= limit:
        return f"With a threshold above {shown} it would not be {effect} for {defect} ({key} is {limit:g})."
    return f"With a threshold of {shown} or less it would be {effect} for {defect} ({key} is {limit:g})."
