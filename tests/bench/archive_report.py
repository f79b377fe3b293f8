"""Measures archives: scoring beside `culld once`, simulation, and the search for copies; writes tests/bench/ARCHIVE.md.

`PYTHONPATH=tests .venv/bin/python -m bench.archive_report --photos DIR --archives DIR`: photos in folders by source and
a folder for the drawn archives, which takes some GB and is used again by the next run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

OUT = Path(__file__).with_name("ARCHIVE.md")
HEAD = """# Archives, measured

Written by `make archive-bench`, on two cores.
"""
ROWS = (1_000_000, 10_000_000)
DRAWS = ((4, (2, 4)), (5, (3, 5)))
"""Draws that were made after all limits had been chosen: the seed, and the tiles in each direction."""


def printed(module: str, *arguments: str) -> str:
    """What a bench prints."""
    print(f"{module} {' '.join(arguments)}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def duplicates(photos: Path) -> str:
    """The figures of the search for copies in each draw, as they are printed."""
    found = []
    for seed, tiles in DRAWS:
        words = ("--photos", str(photos), "--seed", str(seed), "--tiles", *map(str, tiles))
        lines = printed("bench.archive_duplicates", "test", *words).splitlines()
        kept = [line for line in lines if not line.startswith("    false:")]
        found += [f"Seed {seed}, tiles {' and '.join(map(str, tiles))}:", "", "```text", *kept, "```", ""]
    return "\n".join(found)


def main() -> None:
    """Run the benches one after the other, and write what they print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "culld-archives")
    args = parser.parse_args()
    args.archives.mkdir(parents=True, exist_ok=True)
    speed = printed("bench.archive_speed")
    simulated = [f"- {printed('bench.archive_simulate', str(rows), str(args.archives))}" for rows in ROWS]
    parts = (HEAD, "## Score\n", speed, "", "## Simulate\n", *simulated, "", "## Duplicates\n", duplicates(args.photos))
    OUT.write_text("\n".join(parts).rstrip() + "\n")


if __name__ == "__main__":
    main()
