"""Measure the sharpness of photos in full resolution; it costs a decoding of its own, so few photos need it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from culld.errors import PhotoError
from culld.files.open_beneath import open_regular
from culld.files.os_errors import translate_errors
from culld.imaging.decode import decode_luma
from culld.imaging.edge_tiles import TILE, busiest
from culld.imaging.raw import open_raw
from culld.imaging.sharpness import Sharpness, lead, ranked, sharpness_of, tiles_in
from culld.records import Format, Subject, display_path

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

    Where every frame shows a face, the main faces are compared, else the whole frames. Frames that tie have the same
    sharpness. Raises PhotoError if a frame cannot be read or differs in size.
    """
    boxes = [frame.subject.faces[0].box for frame in frames if frame.subject is not None and frame.subject.faces]
    have_faces = len(boxes) == len(frames)
    chosen: NDArray[np.bool_] | None = None
    found: list[Sharpness] = []
    for frame in frames:  # one by one: a frame may have 250 megapixels
        luma = _luma_of_file(frame.photo, limits)
        if chosen is None:
            of_faces = tiles_in(boxes if have_faces else [], *luma.shape)
            chosen = busiest(luma) | of_faces
        found.append(_measured(luma, chosen, frame))
    values = _values(found, of_faces) if have_faces else None
    values = values or _values(found, None) or [0.0] * len(found)
    return tuple(
        with_sharpness(frame.subject, replace(each, value=value))
        for frame, each, value in zip(frames, found, values, strict=True)
    )


def _values(found: Sequence[Sharpness], within: NDArray[np.bool_] | None) -> list[float]:
    """Return the sharpness of each frame on the scale of the sharpest one; nothing without an edge in `within`."""
    groups = ranked(found, within)
    best = found[groups[0][0]]
    if math.isinf(lead(best, best, within).error):
        return []
    values = [0.0] * len(found)
    for group in groups:
        behind = lead(best, found[group[0]], within).amount
        for index in group:
            values[index] = best.value * math.exp(-behind)
    return values


def _measured(luma: NDArray[np.uint8], chosen: NDArray[np.bool_], frame: Assessment) -> Sharpness:
    height, width = (side // TILE for side in luma.shape)
    if chosen.shape != (height, width):
        raise PhotoError(f"{display_path(frame.photo.place.path)} has another size than the first frame of its burst")
    return sharpness_of(luma, chosen)


def _luma_of_file(photo: Photo, limits: DecodeLimits) -> NDArray[np.uint8]:
    with open_regular(photo.place) as stream, translate_errors(photo.place.path, "read"):
        return luma_of(stream, photo.format, limits)
