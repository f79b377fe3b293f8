"""What photo programs show of culld's keywords and of photos before and after culld; writes RESULTS.md."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from programs import keywords, marks
from programs.installed import READERS, apt_line, install, missing
from programs.keywords import OURS, TAGGED_INSIDE
from programs.matrix import RATERS, SETTINGS, Cell, cells
from programs.matrix import READERS as SHOWN_BY
from programs.reader import version

RESULTS = Path(__file__).with_name("RESULTS.md")
_INTRODUCTION = """# What photo programs show of culld's keywords

Written by `make programs`, on a virtual screen, with the packages of Debian: {versions}.

## Where each program reads the keyword

culld tags a blurred photo of each format. Each cell: where the program finds `{ours}`. *photo and sidecar*: in either.
*sidecar, else photo*: in the photo only if there is no sidecar. *sidecar* is `IMG.jpg.xmp`; the last column has the
formats of which the program also reads `IMG.xmp` (`tags.sidecar_name: adobe`). culld writes no keyword into HEIC, AVIF
and DNG. *not opened*: the program does not open the format.

"""
_MARKS = """
## What a mark of the program does

Blurred photos that the program itself marked, under a policy that moves them. `-`: it does not mark the format.

"""
_SHOWN = f"""
## Stars and keywords before and after culld

A blurred photo of each format is given
four stars and the keyword Holiday: by digiKam itself (in the photo), by darktable itself (in a sidecar), or as
IPTC keyword, XPKeywords and EXIF Rating alone. Each cell: stars and words before -> after culld, which adds `{OURS}`.
A program that reads no sidecars does not show what stands in a sidecar only. A photo without stars shows 0 in digiKam.

"""


def main() -> int:
    """Run everything and write the tables; 1 if a program is missing, or a star or a keyword is lost."""
    install()
    if lacking := missing():
        print(f"needs {', '.join(lacking)}; on Debian: sudo {apt_line()}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        text = _of_keywords(Path(folder, "keywords")) + _of_marks(Path(folder, "marks"))
        found = list(cells(Path(folder, "shown")))
    lost = sum(not cell.kept for cell in found)
    text += _SHOWN + _table(("rated by", "culld's `tags`", "shown by", *TAGGED_INSIDE), _rows(found))
    text += f"\nStars or words lost or changed: {lost} of {len(found)}.\n"
    RESULTS.write_text(text)
    print(text)
    return int(bool(lost))


def _of_keywords(work: Path) -> str:
    packages = dict.fromkeys(reader.package.split()[0] for reader in READERS)
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    photos = keywords.make(work / "photos", work)
    rows = keywords.rows(READERS, photos, work)
    return _INTRODUCTION.format(versions=versions, ours=OURS) + _table(
        ("program", *keywords.FORMATS, "`IMG.xmp`"), rows
    )


def _of_marks(work: Path) -> str:
    return _MARKS + _table(("program", "mark", *TAGGED_INSIDE), marks.rows(work))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *rows))


def _rows(found: list[Cell]) -> list[tuple[str, ...]]:
    by_key = {(cell.rater, cell.setting, cell.reader, cell.suffix): cell for cell in found}
    return [
        (rater, setting, reader, *(_cell(by_key.get((rater, name, reader, suffix))) for suffix in TAGGED_INSIDE))
        for rater in RATERS
        for name, setting in SETTINGS.items()
        for reader in SHOWN_BY
    ]


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    text = f"{cell.before} -> {cell.after}"
    return text if cell.kept else f"**{text}**"


if __name__ == "__main__":
    sys.exit(main())
