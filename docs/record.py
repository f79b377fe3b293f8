"""Draws docs/run.svg, a real run of culld on pictures made here: .venv/bin/python docs/record.py."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests"))

from harness import factories  # noqa: E402 (the pictures of the tests)

POLICY = """\
watch:
  - path: inbox
quarantine: quarantine
state: state
policy: {mode: enforce}
"""
_COLOURS = {"quarantine": "red", "tag": "yellow", "keep": "green", "restored": "cyan"}


def main() -> None:
    """Run the commands and draw what they print."""
    console = Console(record=True, width=112, file=(REPO / "docs" / "run.txt").open("w"))
    with tempfile.TemporaryDirectory() as folder:
        house = Path(folder)
        (house / "inbox").mkdir()
        (house / "culld.yaml").write_text(POLICY)
        for number in range(3):
            image = factories.picture(number)
            (house / "inbox" / f"IMG_{2 * number:04}.jpg").write_bytes(factories.encoded(image, quality=92))
            soft = factories.blurred(image)
            (house / "inbox" / f"IMG_{2 * number + 1:04}.jpg").write_bytes(factories.encoded(soft, quality=92))
        for command in (
            "culld score inbox",
            "culld once",
            "find inbox quarantine -name 'IMG*' | sort",
            "culld restore --all",
            "culld status",
        ):
            show(console, house, command)
    console.file.close()
    (REPO / "docs" / "run.txt").unlink()
    drawn = console.export_svg(title="culld", unique_id="culld")
    # Fonts come from the reader's machine; a picture must not call on a server.
    drawn = re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL)
    (REPO / "docs" / "run.svg").write_text(re.sub(r"<!--.*?-->\n", "", drawn))


def show(console: Console, house: Path, command: str) -> None:
    """Run one command and print it with its output."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": path, "CULLD_CONFIG": "culld.yaml", "HOME": str(house)}
    done = subprocess.run(command, shell=True, cwd=house, env=environment, capture_output=True, text=True, check=True)  # noqa: S602
    console.print(Text(f"$ {command}", style="bold"))
    for line in done.stdout.replace(f"{house.resolve()}/", "~/").splitlines():
        first = line.split(maxsplit=1)[0] if line.strip() else ""
        console.print(Text(line, style=_COLOURS.get(first, "")), overflow="ellipsis", no_wrap=True)
    console.print()


if __name__ == "__main__":
    main()
