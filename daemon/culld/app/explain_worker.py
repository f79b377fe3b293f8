"""The handler in the worker process of `culld explain`: it decodes a photo, explains it, and draws the picture."""

from __future__ import annotations

import contextlib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from culld.app.explain_messages import PhotoExplanation
from culld.errors import PhotoError
from culld.explain.heat import heat, heat_of
from culld.explain.network import ExplainNetwork
from culld.explain.sentence import SEEN, sentence, share, strongest, where
from culld.files.open_beneath import open_regular
from culld.imaging.decode import decode_once, decode_upright
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits, UnreadableError
from culld.imaging.overlay import LONGEST, boxed, overlay
from culld.imaging.raw import open_raw
from culld.inference.litert import silence_stderr
from culld.records import NETWORK_DEFECTS, Defect, Format, Scores
from culld.stages.read.assess import RAW_RECHECK_OVER, exif_of
from culld.stages.read.exif_facts import camera_facts
from culld.stages.read.scoring import with_light_value
from culld.subject.finder import SubjectFinder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from culld.app.explain_messages import ExplainRequest, ExplainSettings
    from culld.explain.heat import HeatMap
    from culld.explain.method import Method
    from culld.imaging.decode import DecodedPhoto
    from culld.records import Face, RootedPath

NO_FACE: Final = (
    "missed focus is measured on faces, and no face that can be measured was found in this photo: there is nothing to "
    "explain"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A decoded photo: upright pixels for the picture, upright maps by defect, and its light value."""

    pixels: NDArray[np.uint8]
    maps: dict[Defect, HeatMap]
    light_value: float | None


class ExplainWorker:
    """The `ExplainHandler` of the worker process: it explains photos; not to be shared between threads."""

    def __init__(self, settings: ExplainSettings) -> None:
        """Load the network; raises SystemFaultError if the model folder has no files for explanations."""
        self._settings = settings
        self._limits = DecodeLimits(settings.pixels)
        self._network = ExplainNetwork.open(settings.model)

    def explain(self, request: ExplainRequest) -> PhotoExplanation | PhotoError:
        """Explain a photo; a PhotoError is returned, not raised, to reach the caller."""
        try:
            held, format_ = self._read(request.place)
            if request.head is Defect.FOCUS:
                return self._focus(held, format_)
            return self._network_defect(held, format_, request)
        except UnreadableError as error:
            return PhotoError(str(error))
        except PhotoError as error:
            return error

    def map(self, place: RootedPath, head: Defect, method: Method) -> HeatMap:
        """Return the upright map of a defect of the network in a photo; raises PhotoError."""
        held, format_ = self._read(place)
        try:
            return self._maps_of(held, format_, (head,), method)[head]
        except UnreadableError as error:
            raise PhotoError(str(error)) from error

    def pixels(self, place: RootedPath) -> NDArray[np.uint8]:
        """Return the upright pixels that pictures of a photo are drawn on, uint8 RGB; raises PhotoError."""
        held, format_ = self._read(place)
        try:
            return self._picture(held, format_)
        except UnreadableError as error:
            raise PhotoError(str(error)) from error

    def _read(self, place: RootedPath) -> tuple[io.BytesIO, Format]:
        with open_regular(place) as stream:
            head = stream.read(HEAD_BYTES)
            if recognise(head, place.relative.name) is Format.VIDEO:  # which may be larger than the memory
                raise PhotoError("a clip has no heat map; `culld segment` draws one over its frames")
            data = head + stream.read(self._settings.file_size + 1 - len(head))
        if len(data) > self._settings.file_size:
            raise PhotoError("larger than limits.file_size allows")
        return io.BytesIO(data), recognise(data[:HEAD_BYTES], place.relative.name)

    def _network_defect(self, stream: BinaryIO, format_: Format, request: ExplainRequest) -> PhotoExplanation:
        heads = NETWORK_DEFECTS if request.head is None else (request.head,)
        seen = self._seen(stream, format_, heads, request.method)
        return network_explanation(max(seen.maps.values(), key=lambda each: each.logit), seen.light_value, seen.pixels)

    def _seen(self, stream: BinaryIO, format_: Format, heads: tuple[Defect, ...], method: Method) -> _Seen:
        light = camera_facts(exif_of(stream, format_, self._limits)).exposure.light_value
        maps = self._maps_of(stream, format_, heads, method)
        return _Seen(self._picture(stream, format_), maps, light)

    def _maps_of(
        self, stream: BinaryIO, format_: Format, heads: tuple[Defect, ...], method: Method
    ) -> dict[Defect, HeatMap]:
        """Return the upright maps; `over` of a RAW is the smaller one of its preview and its developed sensor data."""
        with self._decoded(stream, format_) as (decoded, _):
            maps = self._maps(decoded, decoded.frame(), heads, method)
        if format_ is Format.RAW and Defect.OVER in maps and maps[Defect.OVER].probability >= RAW_RECHECK_OVER:
            developed = self._developed(stream, method)
            maps[Defect.OVER] = min(maps[Defect.OVER], developed, key=lambda each: each.logit)
        return maps

    def _developed(self, stream: BinaryIO, method: Method) -> HeatMap:
        """Return the map of over-exposure in the developed sensor data of a RAW."""
        stream.seek(0)
        with open_raw(stream, self._limits) as raw:
            with raw.decode_once() as decoded:
                width, height = decoded.upright_size
            found = heat(self._network, raw.linear_rgb(), Defect.OVER, method)
        return found.turned(-1 if height > width else 0)  # LibRaw has turned the data upright

    def _maps(
        self, decoded: DecodedPhoto, frame: NDArray[np.uint8], heads: tuple[Defect, ...], method: Method
    ) -> dict[Defect, HeatMap]:
        outputs = self._network.outputs(frame)
        found = {head: heat_of(self._network, outputs, head, method) for head in heads}
        return {head: each.turned(decoded.frame_turns) for head, each in found.items()}

    def _focus(self, stream: BinaryIO, format_: Format) -> PhotoExplanation | PhotoError:
        """Explain missed focus by the box of the main face."""
        with silence_stderr():
            finder = SubjectFinder.open(self._settings.faces)
        with self._decoded(stream, format_) as (decoded, upright):
            subject, focus = finder.find(decoded.frame(), decoded, lambda: upright(None))
        if focus is None or not subject.faces:
            return PhotoError(NO_FACE)
        return focus_explanation(subject.faces[0], focus, self._picture(stream, format_))

    @contextlib.contextmanager
    def _decoded(
        self, stream: BinaryIO, format_: Format
    ) -> Iterator[tuple[DecodedPhoto, Callable[[int | None], NDArray[np.uint8]]]]:
        """Decode a photo, a RAW by its preview; also give a function that decodes it upright in another size."""
        stream.seek(0)
        if format_ is Format.RAW:
            with open_raw(stream, self._limits) as raw, raw.decode_once() as decoded:
                yield decoded, raw.upright
            return
        with decode_once(stream, format_, self._limits) as decoded:
            yield decoded, lambda longest: decode_upright(stream, format_, self._limits, longest)

    def _picture(self, stream: BinaryIO, format_: Format) -> NDArray[np.uint8]:
        """Return the upright pixels that the map is drawn on."""
        with self._decoded(stream, format_) as (_, upright):
            return upright(LONGEST)


def network_explanation(found: HeatMap, light_value: float | None, pixels: NDArray[np.uint8]) -> PhotoExplanation:
    """Return the explanation of a defect by its map over an upright photo, uint8 RGB (height, width, 3).

    As the daemon does, it weighs `under` by the light value of the camera settings; the map stays as it is.
    """
    weighed, text = _weighed(found, light_value), sentence(found)
    is_moved = weighed != found.probability
    if is_moved:
        text += (
            f"; the camera settings (light value {light_value:.1f} EV) move the probability from "
            f"{found.probability:.2f} to {weighed:.2f}"
        )
    place = found.place & (found.probability >= SEEN)
    caption = (f"{found.head} {weighed:.2f}   (logit {found.logit:.2f}, {found.method})", text)
    return PhotoExplanation(
        found.head,
        found.method,
        weighed,
        found.logit,
        text,
        strongest(found),
        share(found),
        tuple(tuple(map(float, row)) for row in found.values),
        overlay(pixels, found.strength, place, caption),
        light_value if is_moved else None,
    )


def focus_explanation(face: Face, focus: float, pixels: NDArray[np.uint8]) -> PhotoExplanation:
    """Return the explanation of missed focus by the main face in an upright photo, uint8 RGB (height, width, 3)."""
    x, y = face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2
    text = f"focus: the main face, at {where(x, y)}, is out of focus with probability {focus:.2f}"
    logit = math.log(max(focus, 1e-9) / max(1 - focus, 1e-9))
    picture = boxed(pixels, face.box, (f"missed focus {focus:.2f}   (face box)", text))
    return PhotoExplanation(
        Defect.FOCUS, "face box", focus, logit, text, (x, y), face.box[2] * face.box[3], (), picture
    )


def _weighed(found: HeatMap, light_value: float | None) -> float:
    """Return the probability as the daemon uses it: `under` is weighed by the light value."""
    if found.head is not Defect.UNDER:
        return found.probability
    return with_light_value(Scores(0, found.probability, 0), light_value).under
