"""Measure the sharpness of photos in full resolution; it costs a decoding of its own, so few photos need it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import PhotoError
from culld.files.open_beneath import open_regular
from culld.files.os_errors import translate_errors
from culld.imaging.decode import decode_luma
from culld.imaging.raw import open_raw
from culld.imaging.sharpness import Sharpness, lead, sharpness_of
from culld.records import Format, Subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from culld.imaging.image_file import DecodeLimits
    from culld.records import Assessment, Photo


def luma_of(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> NDArray[np.uint8]:
    """Decode the luminance of an upright photo, of a RAW that of its preview: uint8 (height, width).

    Raises UnreadableError.
    """
    stream.seek(0)
    if format_ is not Format.RAW:
        return decode_luma(stream, format_, limits)
    with open_raw(stream, limits) as raw:
        return raw.luma()


def with_sharpness(subject: Subject | None, found: Sharpness) -> Subject:
    """Return a subject with a measured sharpness."""
    return replace(subject or Subject(), sharpness=found.value, sharp_share=found.share, sharpest=found.peak)


def compare_frames(frames: Sequence[Assessment], limits: DecodeLimits) -> tuple[Subject, ...]:
    """Return the subjects of the frames of a burst with their sharpness, compared over the parts that all frames share.

    Frames that cannot be told apart from the sharpest one have the same sharpness. Raises PhotoError if a frame cannot
    be read or differs in size.
    """
    found = [_measured(frame.photo, limits) for frame in frames]
    best = found[0]
    try:
        for each in found[1:]:
            best = each if lead(each, best).amount > 0 else best
        values = [_beside(each, best) for each in found]
    except ValueError as error:
        raise PhotoError(str(error)) from error
    return tuple(
        with_sharpness(frame.subject, replace(each, value=value))
        for frame, each, value in zip(frames, found, values, strict=True)
    )


def _beside(frame: Sharpness, best: Sharpness) -> float:
    """Return the sharpness of a frame on the scale of the best one of its burst; the same value for a tie."""
    if frame is best:
        return best.value
    ahead = lead(best, frame)
    return best.value if ahead.tie else best.value * math.exp(-ahead.amount)


def _measured(photo: Photo, limits: DecodeLimits) -> Sharpness:
    with open_regular(photo.place) as stream, translate_errors(photo.place.path, "read"):
        return sharpness_of(luma_of(stream, photo.format, limits))
