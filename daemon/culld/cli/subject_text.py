"""The subject of a photo as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.records import Face, Subject


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
