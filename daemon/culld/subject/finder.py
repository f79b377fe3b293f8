"""Find the subject of a photo: the faces, by two networks of which the large one runs only where it may find one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.inference.litert import LiteRtNetwork
from culld.records import Face, Subject
from culld.subject import faces

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.imaging.decode import DecodedPhoto

FIRST_FILE: Final = "first.tflite"
FULL_FILE: Final = "model.tflite"


class SubjectFinder:
    """Finds the subject of photos; not to be shared between threads."""

    def __init__(self, detector: faces.FaceDetector) -> None:
        """Find faces with this detector."""
        self._detector = detector

    @classmethod
    def open(cls, folder: Path) -> SubjectFinder:
        """Load the networks of a model folder such as `models/faces`; raises SystemFaultError."""
        return cls(faces.FaceDetector(LiteRtNetwork(folder / FIRST_FILE), LiteRtNetwork(folder / FULL_FILE)))

    def find(self, frame: NDArray[np.uint8], decoded: DecodedPhoto) -> Subject:
        """Return the subject of a photo, given its frame for the defect network and the photo itself."""
        if not self._detector.may_hold_faces(decoded.upright_frame(frame)):
            return Subject()
        found = self._detector.detect(decoded.upright())
        return Subject(tuple(_record(face) for face in found))


def _record(face: faces.Face) -> Face:
    left, right = face.eyes
    return Face(face.box, ((left.x, left.y), (right.x, right.y)), face.score)
