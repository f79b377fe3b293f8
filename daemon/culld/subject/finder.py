"""Find the subject of a photo: its faces, their focus and their light."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from culld.errors import SystemFaultError
from culld.inference.card import CARD_FILE, MODEL_FILE, read_card
from culld.inference.litert import LiteRtNetwork, silence_stderr
from culld.records import Face, Subject
from culld.subject.faces import FaceDetector
from culld.subject.focus import FocusModel
from culld.subject.patch import face_region
from culld.subject.portrait import JudgedFace, judge_face, judged_until_main, missed_focus, prominence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.imaging.decode import DecodedPhoto
    from culld.inference.network import Arrays, Signature
    from culld.subject import faces

FIRST_FILE: Final = "first.tflite"
DETECT_IN: Final = 640
"""The longer side in pixels of the image in which the large network looks for faces."""
ENOUGH: Final = 80
"""The height in pixels of a face in the reduced image from which it is judged there, not in full resolution."""
MOST_JUDGED: Final = 3
"""So many faces, the most prominent ones, are judged for focus and light at most."""


class NetworkOnDemand:
    """A `Network` that loads its LiteRT file when it is first used, and raises SystemFaultError then."""

    def __init__(self, model: Path) -> None:
        """Load nothing yet; raises SystemFaultError if there is no such file."""
        if not model.is_file():
            raise SystemFaultError(f"{model} is missing; install culld again")
        self._model = model

    @cached_property
    def _network(self) -> LiteRtNetwork:
        with silence_stderr():
            return LiteRtNetwork(self._model)

    @property
    def signature(self) -> Signature:
        """The input and output arrays."""
        return self._network.signature

    def run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs for the inputs, see `Network.run`."""
        return self._network.run(arrays)


class SubjectFinder:
    """Finds the subject of photos; not to be shared between threads."""

    def __init__(self, detector: FaceDetector, focus: FocusModel) -> None:
        """Find faces with this detector, and judge their focus with this model."""
        self._detector, self._focus = detector, focus

    @classmethod
    def open(cls, folder: Path) -> SubjectFinder:
        """Load the card and the small network of a model folder such as `models/faces`; raises SystemFaultError.

        The large network takes 36 MB, and is loaded for the first photo that needs it.
        """
        detector = FaceDetector(LiteRtNetwork(folder / FIRST_FILE), NetworkOnDemand(folder / MODEL_FILE))
        try:
            return cls(detector, FocusModel.from_json(read_card(folder).calibration["focus"]))
        except (ValueError, KeyError, TypeError) as error:
            raise SystemFaultError(f"{folder / CARD_FILE}: no model of missed focus can be read ({error})") from error

    def find(
        self,
        frame: NDArray[np.uint8],
        decoded: DecodedPhoto,
        native: Callable[[], NDArray[np.uint8]],
    ) -> tuple[Subject, float | None]:
        """Return the subject of a photo, and the probability of missed focus; None if it cannot be measured.

        `frame` is its frame for the defect network. `native` decodes the upright photo in full resolution, uint8 RGB
        (height, width, 3); it is called only for a face that has more pixels there and needs them.
        """
        found = self._detector.detect_in(decoded.upright_frame(frame), lambda: decoded.upright(DETECT_IN))
        if not found:
            return Subject(), None
        full = cache(native)
        in_order = sorted(found, key=prominence, reverse=True)
        judged = judged_until_main(in_order[:MOST_JUDGED], lambda face: self._judged(face, decoded, full))
        others = map(_unjudged, in_order[len(judged) :])
        return Subject((*map(_record, judged), *others)), missed_focus(judged)

    def _judged(self, face: faces.Face, decoded: DecodedPhoto, full: Callable[[], NDArray[np.uint8]]) -> JudgedFace:
        width, height = decoded.upright_size
        region = face_region(face, width / height)
        is_small = decoded.reduction > 1 and face.box[3] * height < ENOUGH
        pixels = region.of(full()) if is_small else decoded.region(region)
        return judge_face(pixels, region, face, self._focus)


def _record(judged: JudgedFace) -> Face:
    face = judged.face
    return Face(face.box, _eyes(face), face.score, judged.blur, judged.light)


def _unjudged(face: faces.Face) -> Face:
    return Face(face.box, _eyes(face), face.score)


def _eyes(face: faces.Face) -> tuple[tuple[float, float], tuple[float, float]]:
    left, right = face.eyes
    return (left.x, left.y), (right.x, right.y)
