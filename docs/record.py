"""Records the first five minutes with culld, and an archive, on a terminal of 80 columns.

`.venv/bin/python docs/record.py`. The photos are drawn, the commands and what they print are real. Writes
docs/first-minutes.txt, docs/run.svg and docs/archive.svg.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests"))

from harness import factories  # noqa: E402 (the pictures of the tests)
from harness.terminal import on_terminal, plain, widest  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS: Final = 80
COMMANDS: Final = (
    "culld init Pictures/Import",
    "culld once",
    "culld log",
    "culld report",
    "sed -i 's/mode: observe/mode: enforce/' .config/culld/config.yaml",
    "culld policy simulate .config/culld/config.yaml --apply",
    "culld why Pictures/Import/IMG_0001.jpg",
    "culld restore --all",
    "culld status",
)
ARCHIVE: Final = (
    "culld archive score Pictures --out archive",
    "culld archive simulate policy.yaml archive",
    "culld archive apply policy.yaml archive --root Pictures --dry-run",
)
_POLICY: Final = """watch: [{path: Pictures}]
quarantine: Quarantine
state: state
policy: {mode: enforce, defects: {blur: {tag: 0.5, reject: 0.97}}}
"""
_PICTURED: Final = ("$ culld init", "$ culld once", "$ sed", "$ culld policy simulate", "$ culld restore")
"""The parts that the picture shows."""


def main() -> None:
    """Run the commands one after the other in a new home folder, and write what a person saw."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        fill(home / "Pictures" / "Import")
        parts = recorded(COMMANDS, home)
    shown = [line for part in parts for line in part]
    (REPO / "docs" / "first-minutes.txt").write_text("\n".join(plain(line).rstrip() for line in shown).rstrip() + "\n")
    pictured = [line for part in parts if part[0].startswith(_PICTURED) for line in part]
    (REPO / "docs" / "run.svg").write_text(drawn(pictured))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        fill(home / "Pictures" / "2026")
        (home / "policy.yaml").write_text(_POLICY)
        archived = [line for part in recorded(ARCHIVE, home) for line in part]
    (REPO / "docs" / "archive.svg").write_text(drawn(archived))


def recorded(commands: Sequence[str], home: Path) -> list[list[str]]:
    """Return what each command prints, below the command; exits if a line is wider than the terminal."""
    parts = [[f"$ {command}", *run(command, home), ""] for command in commands]
    for line in (line for part in parts for line in part):
        if widest([line]) > COLUMNS:
            raise SystemExit(f"wider than {COLUMNS} columns: {plain(line)}")
    return parts


def fill(folder: Path) -> None:
    """Draw three sharp photos and three blurred ones."""
    folder.mkdir(parents=True)
    for number in range(3):
        image = factories.picture(number)
        (folder / f"IMG_{2 * number:04}.jpg").write_bytes(factories.encoded(image, quality=92))
        (folder / f"IMG_{2 * number + 1:04}.jpg").write_bytes(factories.encoded(factories.blurred(image), quality=92))


def run(command: str, home: Path) -> list[str]:
    """Return the lines that a command prints on a terminal, with the home folder as ~."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    lines = on_terminal(shlex.split(command), COLUMNS, home, {"PATH": path})
    return [line.replace(str(home), "~") for line in lines]


def drawn(lines: list[str]) -> str:
    """Return the lines as SVG, in their colours."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for line in lines:
        console.print(Text(line, style="bold") if line.startswith("$ ") else Text.from_ansi(line))
    picture = console.export_svg(title="culld", unique_id="culld")
    # Fonts come from the reader's machine; a picture must not call on a server.
    picture = re.sub(r"@font-face \{.*?\}\n", "", picture, flags=re.DOTALL)
    return re.sub(r"<!--.*?-->\n", "", picture)


if __name__ == "__main__":
    main()
