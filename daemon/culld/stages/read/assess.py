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
from culld.records import Camera, DHash, Format, Unreadable
from culld.stages.read.completeness import is_complete, missing_part
from culld.stages.read.exif_facts import camera_facts
from culld.stages.read.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from culld.imaging.decode import DecodedPhoto
    from culld.inference.network import Network
    from culld.records import Scores, Subject
    from culld.subject.exposure import Correction
    from culld.subject.finder import SubjectFinder

RAW_RECHECK_OVER = 0.5
"""From this probability of over-exposure on, the developed sensor data of a RAW are scored as well."""


@dataclass(frozen=True, slots=True)
class Score:
    """The scores and the perceptual hash of a photo, or why it cannot be decoded.

    `missing_part` is a clause about the part that the file lacks after a complete main image; empty if it lacks none.
    """

    result: Scores | Unreadable
    dhash: DHash | None = None
    subject: Subject | None = None
    missing_part: str = ""


@dataclass(frozen=True, slots=True)
class ContentAssessment:
    """The assessment of the bytes of a file; `digest` is their SHA-256 in hex."""

    digest: str
    format: Format
    camera: Camera
    score: Score


@dataclass(frozen=True, slots=True)
class ScoredPhoto:
    """The scores, the perceptual hash and the subject of a photo."""

    scores: Scores
    dhash: DHash
    subject: Subject | None


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores photos with the defect network, and judges their subject.

    Without a `finder` no subject is looked for; without a `correction` the network's scores of exposure stay.
    """

    network: Network
    finder: SubjectFinder | None = None
    correction: Correction | None = None

    def score(self, decoded: DecodedPhoto, native: Callable[[], NDArray[np.uint8]]) -> ScoredPhoto:
        """Return scores, hash and subject of a photo; `native` decodes it upright in full resolution."""
        frame = decoded.frame()
        scores, likeness, subject = score(self.network, frame), dhash_of(frame), None
        if self.finder is not None:
            subject, focus = self.finder.find(frame, decoded, native)
            scores = replace(scores, focus=focus)
        if self.correction is not None:
            boxes = [decoded.box_in_frame(face.box) for face in subject.faces] if subject else []
            scores = self.correction.correct(frame, scores, boxes)
        return ScoredPhoto(scores, likeness, subject)


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
    return ContentAssessment(
        hashlib.sha256(data).hexdigest(), format_, camera, score_photo(stream, format_, scorer, limits)
    )


def exif_of(stream: BinaryIO, format_: Format, limits: DecodeLimits) -> bytes:
    """Return the EXIF block of a photo, for a RAW that of its preview; empty if there is none, or it is damaged."""
    stream.seek(0)
    try:
        if format_ is Format.RAW:
            with open_raw(stream, limits, whole=False) as raw:
                preview = raw.preview()
            return b"" if preview is None else exif_of(io.BytesIO(preview), Format.JPEG, limits)
        return embedded_exif(stream, format_, limits)
    except UnreadableError:  # `score_photo` reports the reason; here it only means no facts
        return b""


def score_photo(stream: BinaryIO, format_: Format, scorer: Scorer, limits: DecodeLimits) -> Score:
    """Decode and score a photo; the result is `Unreadable` if the end of its main image is missing."""
    if not is_complete(stream, format_):
        return Score(Unreadable("incomplete: its end is missing"))
    missing = missing_part(stream, format_)
    stream.seek(0)
    try:
        scored = _score(stream, format_, scorer, limits)
    except UnreadableError as error:
        return Score(Unreadable(str(error)))
    return Score(scored.scores, scored.dhash, scored.subject, missing)


def _score(stream: BinaryIO, format_: Format, scorer: Scorer, limits: DecodeLimits) -> ScoredPhoto:
    """Score a photo.

    From `RAW_RECHECK_OVER` on, the `over` of a RAW is the smaller one of its preview and of its developed sensor data.
    """
    if format_ is not Format.RAW:
        with decode_once(stream, format_, limits) as decoded:
            return scorer.score(decoded, lambda: decode_upright(stream, format_, limits))
    with open_raw(stream, limits) as raw:
        with raw.decode_once() as decoded:
            scored = scorer.score(decoded, raw.upright)
        scores = scored.scores
        if scores.over < RAW_RECHECK_OVER:
            return scored
        developed = score(scorer.network, raw.linear_rgb())
        return replace(scored, scores=replace(scores, over=min(scores.over, developed.over)))


def dhash_of(pixels: NDArray[np.uint8]) -> DHash:
    """Return the difference hashes of uint8 RGB pixels (height, width, 3); blur and brightness hardly change them."""
    side = DHash.SIDE + 1
    small = Image.fromarray(pixels).convert("L").resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    # Plain numbers, because for an image dhash calls a method that Pillow has deprecated.
    return DHash(*dhash.dhash_row_col(list(small.tobytes()), DHash.SIDE))
