"""Photos that darktable and digiKam rated and tagged themselves, and what the two show before and after culld."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import factories
from programs import darktable, digikam
from programs.keywords import OURS, TAGGED_INSIDE, cull
from programs.shown import Shown

RATERS = ("digiKam, in the photo", "darktable, in a sidecar", "IPTC and EXIF only")
SETTINGS = {
    "both": "sidecar: always, embed: defects (default)",
    "needed": "sidecar: needed, embed: defects",
    "beside": "sidecar: always, embed: never",
}
READERS = ("darktable", "digiKam with sidecars", "digiKam without sidecars")

_TAGS = {
    "both": "{}",
    "needed": "{sidecar: needed}",
    "beside": "{embed: never}",
}


@dataclass(frozen=True)
class Cell:
    """What a program shows of one photo, before and after culld."""

    rater: str
    setting: str
    reader: str
    suffix: str
    before: Shown
    after: Shown

    @property
    def kept(self) -> bool:
        """Return whether the stars and the keywords of the user are the same."""
        return (self.before.stars, self.before.words) == (self.after.stars, self.after.words - {OURS})

    @property
    def tagged(self) -> bool:
        """Return whether our keyword is shown."""
        return OURS in self.after.words

    @property
    def reachable(self) -> bool:
        """Return whether the program reads a file to which culld wrote."""
        return self.setting != "beside" or self.reader != READERS[2]


def cells(work: Path) -> Iterator[Cell]:
    """Every program, format, way to rate and setting; raises NotDrivenError if a program cannot be driven here."""
    before = work / "photos" / "before"
    _make(before, work)
    for name in SETTINGS:
        shutil.copytree(before, work / "photos" / name)
        cull([work / "photos" / name], work / f"culld-{name}", f"tags: {_TAGS[name]}\n")
    for reader, found in zip(READERS, _readings(work), strict=True):
        shown = {path.relative_to(work / "photos"): each for path, each in found.items()}
        for name in SETTINGS:
            for path, old in shown.items():
                if path.parts[0] == "before":
                    new = shown[Path(name, *path.parts[1:])]
                    yield Cell(RATERS[int(path.parts[1])], name, reader, path.suffix[1:], old, new)


def _readings(work: Path) -> Iterator[dict[Path, Shown]]:
    """Return what each reader shows of all photos."""
    photos = sorted(path for path in (work / "photos").rglob("*") if path.suffix[1:] in TAGGED_INSIDE)
    yield darktable.shows(photos, work / "darktable-reads")
    for sidecars in (True, False):
        shown: dict[Path, Shown] = {}
        for name in ("before", *SETTINGS):  # of two equal photos digiKam shows the same, whatever their sidecars say
            program = digikam.DigiKam(work / "photos" / name, work / f"digikam-{sidecars}-{name}", sidecars=sidecars)
            shown |= program.shows(len(photos) // (1 + len(SETTINGS)))
        yield shown


def _make(before: Path, work: Path) -> None:
    """Blurred photos, rated and tagged by the programs themselves."""
    blurred = factories.blurred(factories.picture(5))
    folders = [before / str(number) for number in range(len(RATERS))]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        for suffix, format_ in TAGGED_INSIDE.items():
            if number < 2 or suffix in {"jpg", "tif"}:
                (folder / f"a.{suffix}").write_bytes(factories.encoded(blurred, format_))
    digikam.DigiKam(folders[0], work / "digikam-rates", sidecars=False).rate(len(TAGGED_INSIDE))
    darktable.rate(sorted(folders[1].iterdir()), work / "darktable-rates")
    words = ["-iptc:keywords=Holiday", "-ifd0:xpkeywords=Holiday", "-ifd0:rating=4"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *words, str(folders[2])], check=True)
