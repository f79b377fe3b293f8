"""Whether a mark that a program itself wrote keeps a blurred photo from being moved by culld."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from harness import factories
from programs import darktable, digikam
from programs.display import home
from programs.keywords import TAGGED_INSIDE, cull

_ENFORCE = "policy: {mode: enforce}\n"


def _nothing(folder: Path, work: Path) -> None:
    """No mark: shows that the photos would be moved."""


def _darktable(folder: Path, work: Path) -> None:
    darktable.rate(sorted(folder.iterdir()), work / "darktable")


def _digikam(folder: Path, work: Path) -> None:
    digikam.DigiKam(folder, work / "digikam", sidecars=False).rate(len(TAGGED_INSIDE))


def _exiftool(folder: Path, work: Path) -> None:
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-xmp:rating=4", folder], check=True)


def _exiv2(folder: Path, work: Path) -> None:
    subprocess.run(["exiv2", "-Mset Xmp.xmp.Rating 4", *sorted(folder.iterdir())], check=True)


def _rawtherapee(folder: Path, work: Path) -> None:
    """Let RawTherapee write the settings of its export, and name them as those of the photo itself."""
    for photo in sorted(folder.iterdir()):
        out = work / f"{photo.name}.out.jpg"
        command = ["rawtherapee-cli", "-Y", "-a", "-O", out, "-j90", "-c", photo]
        environment = {"PATH": "/usr/bin:/bin", **home(work / "home")}
        subprocess.run(command, env=environment, check=False, capture_output=True)
        settings = out.with_name(f"{out.name}.pp3")
        if settings.exists():
            photo.with_name(f"{photo.name}.pp3").write_bytes(settings.read_bytes())


MARKS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "none": ("no mark", _nothing),
    "darktable": ("4 stars, in its sidecar", _darktable),
    "digiKam": ("4 stars, in the photo", _digikam),
    "RawTherapee": ("`.pp3` beside the photo", _rawtherapee),
    "exiftool": ("`xmp:Rating` 4", _exiftool),
    "exiv2": ("`xmp:Rating` 4", _exiv2),
}


def rows(work: Path) -> list[tuple[str, ...]]:
    """Return a line for each program: its name, its mark, and for each format whether the photo stays."""
    return [(name, mark, *_outcomes(work / name, write)) for name, (mark, write) in MARKS.items()]


def _outcomes(work: Path, write: Callable[[Path, Path], None]) -> list[str]:
    folder = work / "photos"
    folder.mkdir(parents=True)
    photos = {suffix: folder / f"photo-{suffix}.{suffix}" for suffix in TAGGED_INSIDE}
    for seed, (suffix, format_) in enumerate(TAGGED_INSIDE.items()):
        photos[suffix].write_bytes(factories.encoded(factories.blurred(factories.picture(seed)), format_))
    before = {photo: photo.read_bytes() for photo in photos.values()}
    write(folder, work)
    marked = {photo for photo in before if write is _nothing or photo.read_bytes() != before[photo] or _beside(photo)}
    cull([folder], work / "culld", _ENFORCE)
    return [("stays" if photo.exists() else "moved") if photo in marked else "-" for photo in before]


def _beside(photo: Path) -> bool:
    return any(photo.with_name(f"{photo.name}{suffix}").exists() for suffix in (".xmp", ".pp3"))
