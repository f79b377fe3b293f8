"""The faces of a photo as rules and people see them: focus and light of each, and which one is the main face."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.subject.focus import face_blur
from culld.subject.patch import face_patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from culld.imaging.decode import Region
    from culld.subject.faces import Face
    from culld.subject.focus import FocusModel

MID_GREY = 0.18
"""The luminance of mid grey, with that of white as 1."""
MIN_SUBJECT = 0.05
"""The height of a face in heights of the photo below which it is not the subject: it may be out of focus on purpose."""
_DARKEST = 2.0**-10
_SAMPLES = 48
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, slots=True)
class JudgedFace:
    """A face with the probability that it is out of focus (None: no answer), and its light in EV.

    `light` is the mean luminance of the face between the eyes and the mouth, in stops above (positive) or below mid
    grey: about -2.5 to 1 for well-lit skin, from dark to pale.
    """

    face: Face
    blur: float | None
    light: float


def judge_face(pixels: NDArray[np.uint8], region: Region, face: Face, model: FocusModel) -> JudgedFace:
    """Judge a face by the pixels of its `face_region`, uint8 RGB (height, width, 3), see there for their scale."""
    return JudgedFace(face, face_blur(face_patch(pixels, region, face), model), face_light(pixels, region, face))


def face_light(pixels: NDArray[np.uint8], region: Region, face: Face) -> float:
    """Return the mean luminance of a face around the middle of its eyes and mouth, in EV above mid grey, from -7.5."""
    points = (*face.eyes, *face.mouth)
    x, y = (sum(getattr(point, axis) for point in points) / 4 for axis in "xy")
    height, width, _ = pixels.shape
    radii = (0.3 * face.box[2] / region.width * width, 0.25 * face.box[3] / region.height * height)
    down, across = np.mgrid[-1 : 1 : _SAMPLES * 1j, -1 : 1 : _SAMPLES * 1j]
    inside = across**2 + down**2 < 1
    columns = (x - region.x) / region.width * width + across[inside] * radii[0]
    rows = (y - region.y) / region.height * height + down[inside] * radii[1]
    chosen = pixels[rows.astype(int).clip(0, height - 1), columns.astype(int).clip(0, width - 1)] / 255
    linear = np.where(chosen <= 0.04045, chosen / 12.92, ((chosen + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    return math.log2(max(float((linear @ _LUMINANCE).mean()), _DARKEST) / MID_GREY)


def ranked(faces: Iterable[JudgedFace]) -> tuple[JudgedFace, ...]:
    """Return the faces by falling prominence; the first one is the main face.

    Prominence is the height of the face, less by up to a half toward the corners of the photo, and less by up to a half
    if the face is out of focus, or without an answer: of two faces of similar size the sharp one is the subject.
    """
    return tuple(sorted(faces, key=lambda each: prominence(each.face, each.blur), reverse=True))


def judged_until_main(faces: Sequence[Face], judge: Callable[[Face], JudgedFace]) -> tuple[JudgedFace, ...]:
    """Judge faces in falling `prominence` until no other one can be the main face; returns the judged ones `ranked`."""
    judged: list[JudgedFace] = []
    for face in faces:
        if any(prominence(each.face, each.blur) >= prominence(face) for each in judged):
            break
        judged.append(judge(face))
    return ranked(judged)


def missed_focus(faces: Sequence[JudgedFace]) -> float | None:
    """Return the probability that the main face of `ranked` faces is out of focus.

    None without a face, without an answer about it, or if it is too small to be the subject.
    """
    if not faces or faces[0].face.box[3] < MIN_SUBJECT:
        return None
    return faces[0].blur


def prominence(face: Face, blur: float | None = 0.0) -> float:
    """Return how much a face stands out, see `ranked`; without `blur` the most that it can be."""
    x, y, width, height = face.box
    off_centre = math.hypot(x + width / 2 - 0.5, y + height / 2 - 0.5) / math.hypot(0.5, 0.5)
    return height * (1 - off_centre / 2) * (1 - (1.0 if blur is None else blur) / 2)
