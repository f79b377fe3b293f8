"""Assess the bytes of one photo: format, camera facts, scores. This module opens no file and uses no worker."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

import dhash
from PIL import Image

from culld.imaging.decode import decode_once, decode_upright
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits, UnreadableError, embedded_exif
from culld.imaging.raw import open_raw
from culld.records import Camera, DHash, Format, Scores, Unreadable
from culld.stages.read.completeness import is_complete, missing_part
from culld.stages.read.exif_facts import camera_facts
from culld.stages.read.scoring import score, with_light_value
from culld.subject.light import stops

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from culld.imaging.decode import DecodedPhoto
    from culld.inference.network import Network
    from culld.records import Subject
    from culld.records.regions import Regions
    from culld.subject.finder import SubjectFinder

_STEP = 4  # the median of every fourth pixel of every fourth row is that of all
RAW_RECHECK_OVER = 0.5
"""From this probability of over-exposure on, the developed sensor data of a RAW are scored as well."""


@dataclass(frozen=True, slots=True)
class Score:
    """The scores and the perceptual hash of a photo, or why it cannot be decoded.

    `missing_part` is a clause about the part that the file lacks after a complete main image; empty if it lacks none.
    `full_size` is the (width, height) of the photo in pixels as it is stored; None if it cannot be decoded. `regions`
    is None if they were not asked for.
    """

    result: Scores | Unreadable
    dhash: DHash | None = None
    subject: Subject | None = None
    missing_part: str = ""
    full_size: tuple[int, int] | None = None
    regions: Regions | None = None

    def weighed(self, light_value: float | None) -> Score:
        """Return the same with the scores weighed by the light value of the camera settings."""
        if not isinstance(self.result, Scores):
            return self
        return replace(self, result=with_light_value(self.result, light_value))


@dataclass(frozen=True, slots=True)
class ContentAssessment:
    """The assessment of the bytes of a file; `digest` is their SHA-256 in hex."""

    digest: str
    format: Format
    camera: Camera
    score: Score


@dataclass(frozen=True, slots=True, eq=False)
class Unscored:
    """All that is known of a photo but its scores.

    `frame` is the network frame, uint8 RGB (`HEIGHT`, `WIDTH`, 3); `focus` is the probability of missed focus.
    `missing_part`, `full_size` and `regions` are those of `Score`.
    """

    frame: NDArray[np.uint8]
    dhash: DHash
    full_size: tuple[int, int]
    subject: Subject | None = None
    focus: float | None = None
    missing_part: str = ""
    regions: Regions | None = None

    def scored(self, scores: Scores) -> Score:
        """Return the photo with the scores of the network, and its own of missed focus."""
        weighed = replace(scores, focus=self.focus)
        return Score(weighed, self.dhash, self.subject, self.missing_part, self.full_size, self.regions)


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores photos with the defect network, and judges their subject.

    Without a `finder` no subject is looked for.
    """

    network: Network
    finder: SubjectFinder | None = None

    def look(self, decoded: DecodedPhoto, native: Callable[[], NDArray[np.uint8]]) -> Unscored:
        """Return hash and subject of a photo; `native` decodes it upright in full resolution."""
        frame = decoded.frame()
        if self.finder is None:
            return Unscored(frame, dhash_of(frame), decoded.full_size)
        found, focus = self.finder.find(frame, decoded, native)
        subject = replace(found, brightness=stops(frame[::_STEP, ::_STEP]))
        return Unscored(frame, dhash_of(frame), decoded.full_size, subject, focus)

    def scores(self, unscored: Unscored) -> Scores:
        """Run the network and return its scores of a photo."""
        return score(self.network, unscored.frame)


def assess(
    data: bytes,
    name: str,
    scorer: Scorer,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008 (a frozen record)
) -> ContentAssessment:
    """Assess the bytes of a file.

    The extension of `name` distinguishes RAW files from TIFF. For bytes that are not a photo the result of the score is
    `Unreadable`; only exceptions of the network are raised.
    """
    stream = io.BytesIO(data)
    format_ = recognise(data[:HEAD_BYTES], name)
    camera = camera_facts(exif_of(stream, format_, limits))
    looked = look_at(stream, format_, scorer, limits)
    found = looked if isinstance(looked, Score) else looked.scored(scorer.scores(looked))
    weighed = found.weighed(camera.exposure.light_value)
    return ContentAssessment(hashlib.sha256(data).hexdigest(), format_, camera, weighed)


def exif_of(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> bytes:
    """Return the EXIF block of a photo, for a RAW that of its preview; empty if there is none, or it is damaged."""
    stream.seek(0)
    try:
        if format_ is Format.RAW:
            with open_raw(stream, limits, whole=False) as raw:
                preview = raw.preview()
            return b"" if preview is None else exif_of(io.BytesIO(preview), Format.JPEG, limits)
        return embedded_exif(stream, format_, limits)
    except UnreadableError:  # `look_at` reports the reason; here it only means no facts
        return b""


def look_at(stream: BinaryIO, format_: Format, scorer: Scorer, limits: DecodeLimits) -> Unscored | Score:
    """Decode a photo and judge its subject, so that only the network is left to run; the stream is not needed then.

    A RAW is scored as well. The result is `Unreadable` if the end of the main image is missing.
    """
    if not is_complete(stream, format_):
        return Score(Unreadable("incomplete: its end is missing"))
    missing = missing_part(stream, format_)
    stream.seek(0)
    try:
        found = _look_at(stream, format_, scorer, limits)
    except UnreadableError as error:
        return Score(Unreadable(str(error)))
    return replace(found, missing_part=missing)


def _look_at(stream: BinaryIO, format_: Format, scorer: Scorer, limits: DecodeLimits) -> Unscored | Score:
    """Decode a photo, and score a RAW.

    From `RAW_RECHECK_OVER` on, the `over` of a RAW is the smaller one of its preview and of its developed sensor data:
    it stays open for the scores of its preview.
    """
    if format_ is not Format.RAW:
        with decode_once(stream, format_, limits) as decoded:
            return scorer.look(decoded, lambda: decode_upright(stream, format_, limits))
    with open_raw(stream, limits) as raw:
        with raw.decode_once() as decoded:
            unscored = replace(scorer.look(decoded, raw.upright), full_size=raw.full_size)
        scores = scorer.scores(unscored)
        if scores.over >= RAW_RECHECK_OVER:
            developed = score(scorer.network, raw.linear_rgb())
            scores = replace(scores, over=min(scores.over, developed.over))
        return unscored.scored(scores)


def dhash_of(pixels: NDArray[np.uint8]) -> DHash:
    """Return the difference hashes of uint8 RGB pixels (height, width, 3); blur and brightness hardly change them."""
    side = DHash.SIDE + 1
    small = Image.fromarray(pixels).convert("L").resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    # Plain numbers, because for an image dhash calls a method that Pillow has deprecated.
    return DHash(*dhash.dhash_row_col(list(small.tobytes()), DHash.SIDE))
