"""The request to the worker process that judges clips, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from culld.errors import PhotoError
    from culld.records import RootedPath
    from culld.records.clips import ClipJudgement


class ClipHandler(Protocol):
    """The handler of the requests in a worker process: see `clip_worker.ClipWorker`."""

    def judge(self, request: ClipRequest) -> ClipJudgement | PhotoError:
        """Judge a clip."""


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """The folder of the defect network, and the largest frame of a clip in pixels."""

    model: Path
    pixels: int


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """The clip to judge."""

    place: RootedPath

    def handle(self, handler: ClipHandler) -> ClipJudgement | PhotoError:
        """Return the judgement, or the error that prevented it."""
        return handler.judge(self)
