"""Command-line programs read culld's keyword where the committed results of `make programs` have it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from programs import keywords
from programs.exiftool import ExifTool
from programs.exiv2 import Exiv2
from programs.imagemagick import ImageMagick
from programs.libvips import LibVips
from programs.reader import Reader

RESULTS = Path(__file__).resolve().parents[1] / "programs" / "RESULTS.md"
READERS = (ExifTool(), Exiv2(), LibVips(), ImageMagick())

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos of each format that culld has tagged in each way."""
    folder = tmp_path_factory.mktemp("programs")
    keywords.make(folder / "photos", folder)
    return folder


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.program)
def test_a_program_finds_the_keyword_where_the_table_says(reader: Reader, work: Path) -> None:
    """In each format, from the photo and from its sidecar of either name."""
    if shutil.which(reader.program) is None:
        pytest.skip(f"needs {reader.program} (Debian: {reader.package})")
    photos = [path for path in (work / "photos").rglob("photo-*") if path.suffix != ".xmp"]

    ((name, *cells),) = keywords.rows([reader], photos, work / reader.program)

    (row,) = re.findall(rf"^\| {re.escape(name)} \|(.*)\|$", RESULTS.read_text(), re.MULTILINE)
    assert cells == [cell.strip() for cell in row.split("|")]


def test_a_cell_says_where_the_keyword_is_read() -> None:
    """From the cases in which the program shows it."""
    told = {
        ("both", "photo", "sidecar", "other"): "photo and sidecar",
        ("both", "photo", "sidecar"): "sidecar, else photo",
        ("both", "photo", "other"): "photo",
        ("both", "sidecar"): "sidecar",
        ("photo",): "photo alone",
        (): "-",
    }

    assert {cases: str(keywords.Seen(is_opened=True, cases=frozenset(cases))) for cases in told} == told
    assert str(keywords.Seen(is_opened=False, cases=frozenset())) == "not opened"
