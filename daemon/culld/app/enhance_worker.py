"""The handler in the worker process of `culld enhance`: it repairs a photo, and decides whether the copy is kept."""

from __future__ import annotations

import functools
import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.app.enhance_messages import Enhanced, Repair
from culld.enhance.accept import Accepted, Discarded, accept, exposure_defect, refusal_for_clipping
from culld.enhance.encode import Origin, encode_copy, metadata_of
from culld.enhance.exposure import (
    DARKENING,
    clipped_share,
    open_tone_network,
    repair_exposure,
    repairing_curve,
    thumbnail_of,
)
from culld.enhance.gain import COARSE_QUALITY, FINE_QUALITY, gain, load_rule
from culld.enhance.restore import open_restoration, restore
from culld.enhance.source import CopySource, RefusedError, quality_of, read_source
from culld.enhance.structure import structure_kept
from culld.errors import PhotoError
from culld.files.open_beneath import open_regular
from culld.imaging.image_file import DecodeLimits
from culld.imaging.raw import develop_corrected, open_raw
from culld.imaging.tone_curve import ToneCurve
from culld.inference.card import MODEL_FILE, load_card, read_card
from culld.inference.litert import silence_stderr
from culld.records import Defect, Format, Scores, display_path
from culld.stages.read.assess import Scorer, assess, exif_of
from culld.stages.read.scoring import open_litert
from culld.subject.finder import SubjectFinder

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from culld.app.enhance_messages import EnhanceRequest, EnhanceSettings
    from culld.enhance.gain import Gain
    from culld.inference.litert import LiteRtNetwork
    from culld.records import RootedPath
    from culld.stages.read.assess import ContentAssessment

    Pixels = NDArray[np.uint8]


_ROWS: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    """A photo as it was read: its name, its bytes, what culld judges of it, and the quality of a JPEG, if known."""

    name: str
    data: bytes
    assessed: ContentAssessment
    scores: Scores
    quality: int | None = None

    @property
    def format(self) -> Format:
        return self.assessed.format


@dataclass(frozen=True, slots=True, eq=False)
class _Repaired:
    """Pixels before and after a repair, what was repaired, what did it, and the gain, if estimated."""

    source: CopySource
    pixels: Pixels
    repair: Defect | Gain
    model: str


class EnhanceWorker:
    """The `EnhanceHandler` of the worker process; not to be shared between threads."""

    def __init__(self, settings: EnhanceSettings, report: Callable[[float], None] = lambda _share: None) -> None:
        """Load the networks that judge; raises SystemFaultError if a network cannot be used.

        `report` is called with the share 0..1 of a photo that is repaired. The networks that repair are loaded when the
        first photo needs them, which saves 200 MB for exposure alone.
        """
        self._settings = settings
        self._report = report
        self._limits = DecodeLimits(settings.pixels)
        with silence_stderr():
            self._scorer = Scorer(open_litert(settings.defects / MODEL_FILE), SubjectFinder.open(settings.faces))
        self._rule = load_rule(settings.restoration)
        self._judge = read_card(settings.defects).id
        folders = {Repair.EXPOSURE: settings.exposure, Repair.JPEG: settings.restoration}
        self._models = {repair: load_card(folder).id for repair, folder in folders.items()}

    @functools.cached_property
    def _restoration(self) -> LiteRtNetwork:
        with silence_stderr():
            return open_restoration(self._settings.restoration)

    @functools.cached_property
    def _tone(self) -> LiteRtNetwork:
        with silence_stderr():
            return open_tone_network(self._settings.exposure / MODEL_FILE)

    def enhance(self, request: EnhanceRequest) -> Enhanced | PhotoError:
        """Repair a photo and decide about the copy; a PhotoError is returned, not raised, to reach the caller."""
        try:
            photo = self._read(request.place)
        except PhotoError as error:
            return error
        told = Enhanced("", before=photo.scores, estimated_quality=photo.quality, models=(self._judge,))
        repair, why = self._chosen(photo, request.repair, COARSE_QUALITY if request.only_coarse else FINE_QUALITY)
        if repair is None:
            return replace(told, reason=why)
        told = replace(told, repair=repair, models=(self._judge, self._model(photo, repair)))
        try:
            return self._made(photo, repair, told)
        except RefusedError as refusal:
            return replace(told, reason=str(refusal))
        except PhotoError as error:
            return error

    def _read(self, place: RootedPath) -> _Photo:
        """Read and judge a photo; raises PhotoError if that cannot be done."""
        with open_regular(place) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > self._settings.file_size:
                raise PhotoError(
                    f"{size} bytes are more than limits.file_size allows ({self._settings.file_size}); raise the limit"
                )
            data = stream.read(size)
        name = place.relative.name
        assessed = self._assessed(data, name)
        if not isinstance(assessed.score.result, Scores):
            raise PhotoError(assessed.score.result.reason)
        quality = quality_of(data, self._limits) if assessed.format is Format.JPEG else None
        return _Photo(name, data, assessed, assessed.score.result, quality)

    def _assessed(self, data: bytes, name: str) -> ContentAssessment:
        return assess(data, name, self._scorer, self._limits)

    def _chosen(self, photo: _Photo, wanted: Repair, fine: int) -> tuple[Repair | None, str]:
        """Return what to repair; None with the reason if there is nothing.

        JPEG files from the quality `fine` on are not repaired unasked.
        """
        defect = exposure_defect(photo.scores, self._settings.tags)
        if wanted is not Repair.JPEG and defect is not None:
            return Repair.EXPOSURE, ""
        if wanted is not Repair.EXPOSURE and photo.format is Format.JPEG:
            if wanted is Repair.JPEG or photo.quality is None or photo.quality < fine:
                return Repair.JPEG, ""
            return None, (
                "it is neither under- nor over-exposed, and "
                f"{'hardly' if fine == FINE_QUALITY else 'not strongly'} compressed (JPEG of quality {photo.quality}): "
                "there is nothing to repair"
            )
        exposed = "" if wanted is Repair.JPEG else "it is neither under- nor over-exposed"
        packed = "" if wanted is Repair.EXPOSURE else "only the compression of JPEG files is repaired"
        return None, " and ".join(filter(None, (exposed, packed))) + ": there is nothing to repair"

    def _made(self, photo: _Photo, repair: Repair, told: Enhanced) -> Enhanced:
        """Repair, encode and judge the copy; raises RefusedError, or PhotoError for a damaged photo."""
        metadata = metadata_of(photo.data, photo.format)
        found = self._compression(photo) if repair is Repair.JPEG else self._exposure(photo)
        if isinstance(found, Discarded):
            return replace(told, reason=found.reason)
        name = display_path(Path(photo.name))
        origin = Origin(name, photo.assessed.digest, repair, found.model, self._gone(repair))
        copy = encode_copy(found.pixels, found.source, metadata, origin)
        told = replace(told, structure=structure_kept(found.source.pixels, found.pixels))
        return self._decided(copy, found, told)

    def _decided(self, copy: bytes, found: _Repaired, told: Enhanced) -> Enhanced:
        after = self._assessed(copy, "copy.jpg").score.result
        if not isinstance(after, Scores) or told.before is None or told.structure is None:
            return replace(told, reason="the copy cannot be read again; please report this")
        decision = accept(told.before, after, told.structure, self._settings.tags, found.repair)
        return replace(
            told,
            reason=decision.reason,
            copy=copy if isinstance(decision, Accepted) else b"",
            after=after,
            gain_db=None if isinstance(found.repair, Defect) else found.repair.decibels,
        )

    def _model(self, photo: _Photo, repair: Repair) -> str:
        """Return what repairs a photo: the id of a network, or the name of the gain for bright photos."""
        is_bright = exposure_defect(photo.scores, self._settings.tags) is Defect.OVER
        return DARKENING if repair is Repair.EXPOSURE and is_bright else self._models[repair]

    def _gone(self, repair: Repair) -> frozenset[str]:
        return self._settings.keywords if repair is Repair.EXPOSURE else frozenset()

    def _compression(self, photo: _Photo) -> _Repaired:
        source = read_source(photo.data, photo.format, self._limits)
        pixels = restore(source.pixels, self._restoration, lambda done, total: self._report(done / total))
        found = gain(source.pixels, pixels, photo.quality, self._rule)
        return _Repaired(source, pixels, found, self._models[Repair.JPEG])

    def _exposure(self, photo: _Photo) -> _Repaired | Discarded:
        defect = exposure_defect(photo.scores, self._settings.tags) or Defect.UNDER
        if photo.format is Format.RAW:
            return self._developed(photo, defect)
        source = read_source(photo.data, photo.format, self._limits)
        if refusal := refusal_for_clipping(defect, _burnt_out(source.pixels)):
            return refusal
        pixels = repair_exposure(source.pixels, defect, self._tone)
        return _Repaired(source, pixels, defect, self._model(photo, Repair.EXPOSURE))

    def _developed(self, photo: _Photo, defect: Defect) -> _Repaired | Discarded:
        """Develop the sensor data of a RAW twice: plainly, and under the curve that repairs the plain one."""
        exif = exif_of(io.BytesIO(photo.data), Format.RAW, self._limits).removeprefix(b"Exif\0\0")
        with open_raw(io.BytesIO(photo.data), self._limits) as raw:
            plain = develop_corrected(raw, ToneCurve(0.0))
            if refusal := refusal_for_clipping(defect, _burnt_out(plain)):
                return refusal
            pixels = develop_corrected(raw, repairing_curve(thumbnail_of(plain), defect, self._tone))
        source = CopySource(plain, exif=exif, is_upright=True)
        return _Repaired(source, pixels, defect, self._model(photo, Repair.EXPOSURE))


def _burnt_out(pixels: Pixels) -> float:
    """Return the clipped share of a photo; in blocks of rows, because luma takes ten bytes a pixel on its way."""
    blocks = [pixels[top : top + _ROWS] for top in range(0, len(pixels), _ROWS)]
    return sum(clipped_share(block) * len(block) for block in blocks) / len(pixels)
