"""The request to the worker process of `culld enhance`, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from culld.app.decision_json import scores_json

if TYPE_CHECKING:
    from pathlib import Path

    from culld.errors import PhotoError
    from culld.records import Defect, RootedPath, Scores


class Repair(StrEnum):
    """What is repaired; AUTO: the exposure if it is wrong, else JPEG compression."""

    AUTO = "auto"
    JPEG = "jpeg"
    EXPOSURE = "exposure"


class EnhanceHandler(Protocol):
    """The handler of the requests in a worker process: see `enhance_worker.EnhanceWorker`."""

    def enhance(self, request: EnhanceRequest) -> Enhanced | PhotoError:
        """Repair a photo."""


@dataclass(frozen=True, slots=True)
class EnhanceSettings:
    """The folders of the networks, the limits of a photo, and what the policy says about each defect.

    `tags` are the tag thresholds; `keywords` the keywords of culld for wrong exposure, which a repaired copy loses.
    """

    defects: Path
    faces: Path
    restoration: Path
    exposure: Path
    pixels: int
    file_size: int
    tags: dict[Defect, float]
    keywords: frozenset[str]


@dataclass(frozen=True, slots=True)
class EnhanceRequest:
    """The photo to repair, and what to repair.

    With `only_coarse` compression is repaired in JPEG files below the quality 50 only.
    """

    place: RootedPath
    repair: Repair = Repair.AUTO
    only_coarse: bool = False

    def handle(self, handler: EnhanceHandler) -> Enhanced | PhotoError:
        """Return the copy and its figures, or the error that prevented it."""
        return handler.enhance(self)


@dataclass(frozen=True, slots=True)
class Enhanced:
    """What became of a photo: `copy` is the file of its copy, empty if there is none, for the `reason`.

    `repair` is what was tried, None if nothing was. `structure` is that of `enhance.structure`, `gain_db` the estimated
    gain of a repair of compression. `models` are the ids of the networks that were used.
    """

    reason: str
    copy: bytes = b""
    repair: Repair | None = None
    before: Scores | None = None
    after: Scores | None = None
    structure: float | None = None
    estimated_quality: int | None = None
    gain_db: float | None = None
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnhanceResult:
    """The result for one photo: its path, that of its copy, and the answer about it or why it failed."""

    path: Path
    copy: Path | None
    found: Enhanced | PhotoError


def as_json(result: EnhanceResult, path: str, copy: str | None) -> dict[str, object]:
    """Return a result as the values of `--json`; `path` and `copy` are its paths as text."""
    found = result.found if isinstance(result.found, Enhanced) else Enhanced(str(result.found))
    return {
        "path": path,
        "copy": copy,
        "repair": found.repair,
        "reason": found.reason,
        "before": _scores(found.before),
        "after": _scores(found.after),
        "structure": _rounded(found.structure, 4),
        "estimated_quality": found.estimated_quality,
        "gain_db": _rounded(found.gain_db, 2),
        "models": list(found.models),
    }


def _scores(scores: Scores | None) -> dict[str, float | None] | None:
    return None if scores is None else scores_json(scores)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
