"""The use case `segment` for a clip: the regions over its time, and a new clip with their contours.

The clip is only read. It is decoded, segmented and encoded in a worker process, since it is untrusted. The worker
writes no file: this process writes the bytes that it returns in parts.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Final

from culld.app.model_files import locate_shipped
from culld.app.new_file import new_file
from culld.app.segment_clip_messages import BeginClip, GoOn, SegmentClipSettings
from culld.errors import PhotoError, SystemFaultError
from culld.files.open_beneath import open_regular
from culld.imaging.clip_containers import is_clip_name
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.inference.pool import Pool
from culld.inference.worker_process import WorkerLimits
from culld.records import Format, RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from culld.app.new_file import NewFile
    from culld.app.segment_clip_messages import ClipPart, ClipRegions, SegmentClipHandler
    from culld.config import Config

_MODEL: Final = "segment"


def create_clip_segmenter(settings: SegmentClipSettings) -> SegmentClipHandler:
    """Create the handler of requests in a worker process."""
    from culld.app.segment_clip_worker import SegmentClipWorker  # noqa: PLC0415 (slow to import, needed in workers only)

    return SegmentClipWorker(settings)


def is_clip(place: RootedPath) -> bool:
    """Return whether a file is a clip by its name or its first bytes; raises PhotoError if it cannot be read."""
    name = place.relative.name
    with open_regular(place) as stream:
        return is_clip_name(name) or recognise(stream.read(HEAD_BYTES), name) is Format.VIDEO


def segment_clip(
    config: Config, place: RootedPath, out: Path | None, show: Callable[[float], None] = lambda _done: None
) -> ClipRegions:
    """Segment a clip in a new worker process, and write its overlay to `out`, unless that is None.

    `show` is called about every second with the share 0..1 that is done. Raises PhotoError if the clip cannot be
    segmented, SystemFaultError if the network cannot be used or the overlay not be written; then nothing is left of it.
    """
    settings = SegmentClipSettings(locate_shipped(_MODEL), config.limits.pixels)
    limits = WorkerLimits(config.limits.memory, config.limits.time.total_seconds())  # the time of one part
    with contextlib.ExitStack() as opened:
        file = None if out is None else opened.enter_context(_overlay_file(out, place))
        pool = opened.enter_context(Pool(functools.partial(create_clip_segmenter, settings), 1, limits))
        part = _answer(pool, BeginClip(place, with_overlay=file is not None))
        while True:
            if file is not None:
                file.write(part.pieces)
            show(part.done)
            if part.regions is not None:
                break
            part = _answer(pool, GoOn())
        if file is not None:
            file.commit()
        return part.regions


def _overlay_file(out: Path, place: RootedPath) -> contextlib.AbstractContextManager[NewFile]:
    if out.exists() and out.samefile(place.path):
        raise SystemFaultError(f"{display_path(out)} is the clip itself; name another file for the overlay")
    return new_file(out)


def _answer(pool: Pool, request: BeginClip | GoOn) -> ClipPart:
    (answer,) = pool.map([request])
    if isinstance(answer, PhotoError):
        raise answer
    return answer
