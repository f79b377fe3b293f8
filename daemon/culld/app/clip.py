"""The use case of judging clips: `culld score CLIP`.

A clip is only read; it is decoded and judged in a worker process, as photos are, since it is untrusted.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from culld.app.clip_messages import ClipRequest, ClipSettings
from culld.app.model_files import load_model
from culld.errors import PhotoError
from culld.inference.pool import Pool
from culld.inference.worker_process import WorkerLimits

if TYPE_CHECKING:
    from pathlib import Path

    from culld.app.clip_messages import ClipHandler
    from culld.config import Config
    from culld.records import RootedPath
    from culld.records.clips import ClipJudgement

TIMES_LONGER: Final = 20
"""The time for one clip, in multiples of `limits.time`: by default 20 minutes, for about an hour of 1080p."""


@dataclass(frozen=True, slots=True)
class ClipResult:
    """The result for one clip; `judgement` is None, and `fault` a sentence, if it could not be read."""

    path: Path
    judgement: ClipJudgement | None
    fault: str
    model: str


def create_clip_worker(settings: ClipSettings) -> ClipHandler:
    """Create the handler of requests in a worker process."""
    from culld.app.clip_worker import ClipWorker  # noqa: PLC0415 (slow to import, and needed in workers only)

    return ClipWorker(settings)


class ClipJudges:
    """Judges clips one after the other in a worker process, which is started for the first one; use it with `with`."""

    def __init__(self, config: Config) -> None:
        """Start nothing yet."""
        self._config = config
        self._open = contextlib.ExitStack()
        self._pool: tuple[Pool, str] | None = None

    def judge(self, place: RootedPath) -> ClipResult:
        """Return the result for one clip; raises SystemFaultError if the model cannot be used."""
        pool, model = self._started()
        (answer,) = pool.map([ClipRequest(place)])
        if isinstance(answer, PhotoError):
            return ClipResult(place.path, None, str(answer), "")
        return ClipResult(place.path, answer, "", model)

    def _started(self) -> tuple[Pool, str]:
        if self._pool is None:
            folder, card = load_model(self._config.model.path)
            limits = self._config.limits
            create = functools.partial(create_clip_worker, ClipSettings(folder, limits.pixels))
            worker = WorkerLimits(limits.memory, TIMES_LONGER * limits.time.total_seconds())
            self._pool = self._open.enter_context(Pool(create, 1, worker)), card.id
        return self._pool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
