"""Which program reads culld's keyword from the photo, and which from its sidecar.

`photo and sidecar`: from either, and from the photo also where the sidecar has only another keyword. `sidecar, else
photo`: from the photo only where there is no sidecar.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pillow_heif

from harness import factories, raw_files
from harness.daemon_process import COMMAND
from programs.reader import Reader

FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "heic": "HEIF", "avif": "AVIF", "dng": "DNG"}
OURS = "defect:blur"
TAGGED_INSIDE = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WEBP"}
"""Of these formats culld tags the photo as well; the names are those of Pillow."""
OTHER = "other"

_SIZE = (720, 540)
_CONFIG = "watch: [{watch}]\nquarantine: {work}/quarantine\nstate: {work}/state\nsettle: {{quiet: 100ms}}\n"
_SETTINGS = {
    "both": "{}",
    "photo": "{}",
    "sidecar": "{embed: never}",
    "other": "{}",
    "adobe": "{embed: never, sidecar_name: adobe}",
}
"""What culld leaves; the photo alone; a photo that culld did not write to, and its sidecar `IMG.jpg.xmp`; the photo
with a sidecar that has only another word; a photo that culld did not write to, and its sidecar `IMG.xmp`."""


@dataclass(frozen=True)
class Seen:
    """In which of the cases a program shows culld's keyword of a format; `is_opened` is false if it opens none."""

    is_opened: bool
    cases: frozenset[str]

    def __str__(self) -> str:
        """As the table has it: where the program reads the keyword."""
        if not self.is_opened:
            return "not opened"
        read = sorted({"photo", "sidecar"} & self.cases)
        if read and "both" not in self.cases:
            return f"{' or '.join(read)} alone"
        if len(read) == 2 and "other" not in self.cases:
            return "sidecar, else photo"
        return " and ".join(read) or "-"


def make(root: Path, work: Path) -> list[Path]:
    """Make a blurred photo of each format and case, each another picture; return all, once culld has tagged them."""
    pillow_heif.register_heif_opener()
    photos = []
    for number, case in enumerate(_SETTINGS):
        folder = root / case
        folder.mkdir(parents=True)
        for seed, (suffix, format_) in enumerate(FORMATS.items(), start=number * len(FORMATS)):
            photos.append(folder / f"photo-{suffix}.{suffix}")
            photos[-1].write_bytes(_encoded(seed, format_))
    for number, tags in enumerate(dict.fromkeys(_SETTINGS.values())):
        folders = [root / case for case, wanted in _SETTINGS.items() if wanted == tags]
        cull(folders, work / f"culld-{number}", f"tags: {tags}\n")
    _change_sidecars(root)
    return photos


def cull(folders: Sequence[Path], work: Path, settings: str) -> None:
    """Judge all photos of some folders once."""
    work.mkdir(parents=True)
    config = work / "culld.yaml"
    watch = ", ".join(f"{{path: {folder}}}" for folder in folders)
    config.write_text(_CONFIG.format(watch=watch, work=work) + settings)
    subprocess.run([COMMAND, "once", "--config", config], check=True, capture_output=True)


def seen(reader: Reader, photos: Sequence[Path], work: Path) -> dict[str, Seen]:
    """Return what a program shows, by format."""
    words = reader.keywords(list(photos), work)
    return {
        suffix: _of_format({path: words[path] for path in words if path.suffix == f".{suffix}"}) for suffix in FORMATS
    }


def _of_format(words: dict[Path, frozenset[str]]) -> Seen:
    return Seen(bool(words), frozenset(path.parent.name for path, found in words.items() if OURS in found))


def _encoded(seed: int, format_: str) -> bytes:
    picture = factories.blurred(factories.picture(seed, _SIZE))
    return raw_files.dng(picture, preview=picture) if format_ == "DNG" else factories.encoded(picture, format_)


def _change_sidecars(root: Path) -> None:
    """Remove those of the photos that are to be alone, and replace our word in those that are to have another."""
    for sidecar in (root / "photo").glob("*.xmp"):
        sidecar.unlink()
    for sidecar in (root / "other").glob("*.xmp"):
        text = sidecar.read_text()
        sidecar.write_text(text.replace(OURS, OTHER))


def rows(readers: Sequence[Reader], photos: Sequence[Path], work: Path) -> Iterator[tuple[str, ...]]:
    """Yield the line of each program: its name, a cell for each format, and the formats of which it reads `IMG.xmp`."""
    for number, reader in enumerate(readers):
        folder = work / f"reader-{number}"
        folder.mkdir(parents=True)
        found = seen(reader, photos, folder)
        other_name = [suffix for suffix, cell in found.items() if "adobe" in cell.cases]
        formats = "all" if len(other_name) == len(found) else " ".join(other_name) or "-"
        yield (reader.name, *map(str, found.values()), formats)
