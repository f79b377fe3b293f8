"""The faces of a frame of a burst against those of its best frame, matched by their place; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.app.remark import Remark, Side
from culld.stages.decide.thresholds import format_probability

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culld.records import Assessment, Face

LEAST_FOCUS: Final = 0.2
"""Smaller differences of the probability that a face is out of focus are not worth a word."""
LEAST_PROBABILITY: Final = 0.25
"""Nor is a difference of two probabilities that are both smaller."""
LEAST_LIGHT_EV: Final = 0.3
_WELL_LIT: Final = (-2.5, 1.0)  # EV above mid grey, from dark to pale skin
_FARTHEST: Final = 1.0  # sides of the face that it may have moved between two frames
_LARGEST_RATIO: Final = 1.6
_SURE: Final = 0.7  # confidence; less sure and tiny faces come and go from frame to frame


def face_remarks(frame: Assessment, best: Assessment) -> Iterator[Remark]:
    """Yield how the faces of a frame differ from those of the best one, the main face of the best one first."""
    if frame.subject is None or best.subject is None:  # faces were not looked for
        return
    faces, wanted = frame.subject.faces, best.subject.faces
    if not wanted:
        if any(map(_is_sure, faces)):
            yield Remark("faces", Side.BETTER, "a face is found; none in the best frame", "a face is found")
        return
    pairs = matched(wanted, faces)
    main = pairs[0]
    if main is not None:
        yield from _focus(main, wanted[0])
    elif _is_sure(wanted[0]):
        text = "the main face is not found at its place" if faces else "no face is found"
        yield Remark("faces", Side.WORSE, f"{text}; it is in the best frame", text)
    yield from _other_faces(wanted[1:], pairs[1:])
    if main is not None:
        yield from _light(main, wanted[0])


def _is_sure(face: Face) -> bool:
    """Return whether a face is certain, and large enough to be judged."""
    return face.confidence >= _SURE and face.blur is not None


def matched(wanted: Sequence[Face], faces: Sequence[Face]) -> list[Face | None]:
    """Return the face of another frame for each face, in order: the nearest one of a like size; None without one."""
    free = list(faces)
    found: list[Face | None] = []
    for face in wanted:
        near = min(free, key=lambda other: _distance(face, other), default=None)
        if near is None or _distance(face, near) > _FARTHEST:
            found.append(None)
        else:
            free.remove(near)
            found.append(near)
    return found


def _distance(one: Face, other: Face) -> float:
    """Return how far two faces are apart, in sides of the first one; 9 if one is much larger."""
    (x, y, width, height), (left, top, wide, high) = one.box, other.box
    if min(width, height, wide, high) <= 0 or not 1 / _LARGEST_RATIO <= high / height <= _LARGEST_RATIO:
        return 9.0
    return max(abs(left + wide / 2 - x - width / 2) / width, abs(top + high / 2 - y - height / 2) / height)


def _focus(face: Face, best: Face) -> Iterator[Remark]:
    if best.blur is not None and face.blur is None:
        text = "the focus of the main face cannot be measured (small, turned away, dark or moved)"
        yield Remark("face focus", Side.NEUTRAL, text, "eyes not measured", None, best.blur)
    if face.blur is None or best.blur is None or not _differ(face.blur, best.blur):
        return
    word, side = ("softer", Side.WORSE) if face.blur > best.blur else ("sharper", Side.BETTER)
    shown, beside = format_probability(face.blur), format_probability(best.blur)
    text = f"main face and eyes {word}: out of focus with probability {shown} against {beside}"
    yield Remark("face focus", side, text, f"eyes {word}, out of focus {shown} / {beside}", face.blur, best.blur)


def _differ(blur: float, other: float) -> bool:
    return abs(blur - other) >= LEAST_FOCUS and max(blur, other) >= LEAST_PROBABILITY


def _other_faces(wanted: Sequence[Face], found: Sequence[Face | None]) -> Iterator[Remark]:
    """Yield how many of the other faces are softer, and how many are sharper, than in the best frame."""
    changes = [
        face.blur - other.blur
        for other, face in zip(wanted, found, strict=True)
        if face is not None and face.blur is not None and other.blur is not None and _differ(face.blur, other.blur)
    ]
    for side, word, count in (
        (Side.WORSE, "softer", sum(change > 0 for change in changes)),
        (Side.BETTER, "sharper", sum(change < 0 for change in changes)),
    ):
        if count:
            text = f"{count} other face{'s' if count > 1 else ''} {word}"
            yield Remark("other faces", side, text, text, float(count), None)


def _light(face: Face, best: Face) -> Iterator[Remark]:
    """Yield the difference of the light on the main face: worse or better only where one of both is not well lit."""
    if face.light is None or best.light is None or abs(face.light - best.light) < LEAST_LIGHT_EV:
        return
    low, high = _WELL_LIT
    is_lit, is_best_lit = (low <= each <= high for each in (face.light, best.light))
    side = Side.NEUTRAL if is_lit == is_best_lit else Side.BETTER if is_lit else Side.WORSE
    difference = abs(face.light - best.light)
    how = "less" if face.light < best.light else "more"
    text = f"{difference:.1f} EV {how} light on the main face ({face.light:+.1f} against {best.light:+.1f} EV)"
    yield Remark("face light", side, text, f"face {difference:.1f} EV {how} light", face.light, best.light)
