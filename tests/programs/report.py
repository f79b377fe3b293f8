"""What darktable and digiKam show of photos before and after culld; writes RESULTS.md."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from display import missing
from matrix import FORMATS, OURS, RATERS, READERS, SETTINGS, Cell, cells

RESULTS = Path(__file__).with_name("RESULTS.md")
_INTRODUCTION = f"""# What photo programs show before and after culld

Written by `tests/programs/report.py`: {{versions}}, on a virtual screen. A blurred photo of each format is given
four stars and the keyword Holiday: by digiKam itself (in the photo), by darktable itself (in a sidecar), or as
IPTC keyword, XPKeywords and EXIF Rating alone. Each cell: stars and words before -> after culld, which adds `{OURS}`.
A program that reads no sidecars does not show what stands in a sidecar only. A photo without stars shows 0 in digiKam.

"""


def main() -> int:
    """Run everything and write the table; 1 if a star or a keyword is lost."""
    if lacking := missing():
        print(f"needs {', '.join(lacking)}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        found = list(cells(Path(folder)))
    text = _INTRODUCTION.format(versions=", ".join(_version(name) for name in ("darktable", "digikam")))
    head = ("rated by", "culld's `tags`", "shown by", *FORMATS)
    rows = [head, ("---",) * len(head), *_rows(found)]
    lost = sum(not cell.kept for cell in found)
    text += "\n".join(f"| {' | '.join(row)} |" for row in rows)
    text += f"\n\nStars or words lost or changed: {lost} of {len(found)}.\n"
    RESULTS.write_text(text)
    print(text)
    return int(bool(lost))


def _rows(found: list[Cell]) -> list[tuple[str, ...]]:
    by_key = {(cell.rater, cell.setting, cell.reader, cell.suffix): cell for cell in found}
    return [
        (rater, setting, reader, *(_cell(by_key.get((rater, name, reader, suffix))) for suffix in FORMATS))
        for rater in RATERS
        for name, setting in SETTINGS.items()
        for reader in READERS
    ]


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    text = f"{cell.before} -> {cell.after}"
    return text if cell.kept else f"**{text}**"


def _version(program: str) -> str:
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False, env={"QT_QPA_PLATFORM": "offscreen"}
    )
    told = [line for line in done.stdout.splitlines() if line.startswith(("this is", program))]
    return told[0].removeprefix("this is ") if told else program


if __name__ == "__main__":
    sys.exit(main())
