"""The scores and the subject of a photo as text and as values of `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import Face, Scores, Subject


def scores_json(scores: Scores | None) -> dict[str, float | None]:
    """Return the probabilities with four decimals; None for those that the photo does not have."""
    return {
        "blur": _rounded(scores.blur) if scores else None,
        "under": _rounded(scores.under) if scores else None,
        "over": _rounded(scores.over) if scores else None,
        "missed_focus": _rounded(scores.focus) if scores else None,
    }


def subject_json(subject: Subject | None) -> dict[str, Any]:
    """Return sharpness and faces; boxes are x, y, width and height in fractions 0..1 of the upright photo."""
    faces = () if subject is None else subject.faces
    return {
        "sharpness": None if subject is None else _rounded(subject.sharpness),
        "sharp_share": None if subject is None else _rounded(subject.sharp_share),
        "faces": [_face(face) for face in faces],
    }


def subject_text(subject: Subject) -> str:
    """Return the subject in one line: the number of faces, the main one, and the sharpness where they are known."""
    parts = [_faces_text(subject.faces)]
    if subject.sharpness is not None:
        parts.append(f"sharpness {subject.sharpness:.3g}")
    if subject.sharp_share is not None:
        parts.append(f"{subject.sharp_share:.0%} of its textured parts sharp")
    return ", ".join(parts)


def _faces_text(faces: Sequence[Face]) -> str:
    if not faces:
        return "no face"
    main = faces[0]
    known = {"blur": main.blur, "light": main.light}
    figures = " ".join(f"{name} {value:.2f}" for name, value in known.items() if value is not None)
    count = "1 face" if len(faces) == 1 else f"{len(faces)} faces, the main one"
    return f"{count} {figures}".rstrip()


def _face(face: Face) -> dict[str, Any]:
    return {
        "box": [_rounded(value) for value in face.box],
        "blur": _rounded(face.blur),
        "light": _rounded(face.light),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
