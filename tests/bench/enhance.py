"""Repairs beside their rivals: models/restore-*/table.md, and the table of docs/benchmarks.md.

`PYTHONPATH=tests .venv/bin/python -m bench.enhance --shared DIR` measures on scenes that no network was trained on.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import doubling
from bench.exposure_repair import MODELS, SHIPPED, Repairs, compared
from bench.report import table
from bench.restoration import Rows, measured, spelled, spread
from culld.training.dataset import read_index, split
from culld.training.experiment import Splits
from culld.training.restoration.known_pairs import read_photo
from culld.training.restoration.measure import Figure, figure, summary
from harness import scenes

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks.md"
HEADING = "## Repaired copies"
SIZE = (6000, 4000)
_PROCESS = "import sys; from culld.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Cost:
    """The wall clock of `culld enhance` on one photo of 24 megapixels, in seconds, and its largest process in MB."""

    seconds: float
    megabytes: float


def cost(name: str, repair: str, save: Callable[[Path], None]) -> Cost:
    """Measure the whole command, start, judgement and encoding included."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / name
        save(photo)
        command = [sys.executable, "-c", _PROCESS, "enhance", str(photo), "--repair", repair, "--json"]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        spent = time.perf_counter() - started
    return Cost(spent, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6)


def costs() -> dict[str, Cost]:
    """The cost of both repairs; exposure first, since memory is the largest of all children so far."""
    image = scenes.picture(scenes.Scene(4, size=(1500, 1000))).resize(SIZE)
    dark = image.point([round(level * 0.15) for level in range(256)] * 3)
    return {
        "exposure": cost("dark.jpg", "exposure", lambda path: dark.save(path, quality=92)),
        "compression": cost("blocks.jpg", "jpeg", lambda path: image.save(path, quality=20)),
    }


def compression_lines(source: str, rows: Rows) -> list[list[str]]:
    """The lines of one source: gains in dB, and by how much `jpegqs` is beaten."""
    mean = {case: summary(found) for case, found in rows.found.items()}
    lines = [
        [f"{case}, {source}", wanted, _gain(mean[case])]
        for case, wanted in (
            ("q5", ""),
            ("q10", "+1.0 dB"),
            ("q20", ""),
            ("q30", "+0.9 dB"),
            ("q40", ""),
            ("q50", ""),
            ("q70", "never below 0"),
            ("q90", "never below 0"),
            ("q10, 4:4:4", ""),
            ("q10, grey", ""),
            ("q50 then q10, shifted", "+0.8 dB"),
        )
    ]
    best = rows.better_jpegqs("q10")
    beaten = mean["q10"].get(f"ahead of {best}")
    return [
        *lines,
        [f"never degraded, {source}", "at most 0.05 dB lost", _untouched(rows)],
        [f"q10 above `{best}`, {source}", "+0.5 dB", "not installed" if beaten is None else spelled(beaten)],
        [f"q10 above a bilateral filter, {source}", "above it", spelled(mean["q10"]["ahead of bilateral"])],
    ]


def _gain(mean: dict[str, Figure]) -> str:
    ssim = f"SSIM {mean['jpeg ssim'].mean:.4f} to {mean['ours ssim'].mean:.4f}"
    blocks = f"PSNR-B {mean['jpeg psnrb'].mean:.2f} to {mean['ours psnrb'].mean:.2f}"
    return f"{spelled(mean['gain'])}; {ssim}; {blocks}"


def _untouched(rows: Rows) -> str:
    """The distance of the repaired photo to the photo itself, as no gain is defined for equal pictures."""
    kept = figure([row["ours psnr"] for row in rows.found["never degraded"]])
    return f"{kept.mean:.1f} dB ({kept.low:.1f} to {kept.high:.1f}) to the photo itself"


def exposure_lines(repairs: Repairs) -> list[list[str]]:
    """The lines of exposure: how near to the partner beside rivals, and the share below `tag`."""
    lines = []
    for group, name in (("under, all", "really under-exposed"), ("over, all", "really over-exposed")):
        own = repairs.results[group, SHIPPED]
        for rival in ("gamma", "CLAHE"):
            other = repairs.results[group, rival]
            for column, unit, digits in ((2, "PSNR, dB", 2), (3, "SSIM", 3)):
                ahead = [one.figures[column] - two.figures[column] for one, two in zip(own, other, strict=True)]
                value = figure([each for each in ahead if not np.isnan(each)])
                spell = f"**{value.mean:+.{digits}f}** ({value.low:+.{digits}f} to {value.high:+.{digits}f})"
                lines.append([f"{name}, {unit} to the partner above {rival}", "above 0", spell])
        cleared = figure([100.0 * each.is_cleared for each in own if each.is_tagged])
        number = sum(each.is_tagged for each in own)
        share = f"**{cleared.mean:.0f} %** ({cleared.low:.0f} to {cleared.high:.0f}) of {number}"
        lines.append([f"{name}: falls below `tag`", "70 %", share])
    return lines


def scale_lines(shared: Path, count: int) -> list[list[str]]:
    """The lines of a scale of 2."""
    chosen = spread(split(read_index(shared / "photos"), Splits()).test, count)
    photos = [read_photo(shared / "photos" / scene.file) for scene in chosen]
    return doubling.lines(photos, MODELS / "restore-jpeg")


def cost_lines(found: dict[str, Cost]) -> list[list[str]]:
    """The lines of time and memory."""
    million = SIZE[0] * SIZE[1] / 1e6
    lines = []
    for name, wanted in (("compression", "1.0 s"), ("exposure", "0.15 s")):
        spent = found[name]
        lines.append([f"{name}, s a megapixel of 24", wanted, f"{spent.seconds / million:.2f}"])
        lines.append([f"{name}, memory of its largest process", "600 MB", f"{spent.megabytes:.0f} MB"])
    return lines


def section(lines: Sequence[Sequence[str]]) -> list[str]:
    """The section of docs/benchmarks.md with these lines of its table."""
    return [
        HEADING,
        "",
        "`make enhance-bench SHARED=DIR` wrote this section, models/restore-jpeg/table.md (the names of the",
        "photographs, worst cases, the rule of the gain) and models/restore-exposure/table.md. Gains are in dB of RGB",
        "over the JPEG, with 95 % intervals; no network was trained or chosen on these scenes. Time is that of the",
        "whole command.",
        "",
        *table(("what", "wanted", "reached"), lines),
        "",
    ]


def replaced(text: str, lines: Sequence[str]) -> str:
    """Return a Markdown text with its section `HEADING` replaced; without one it is added at the end."""
    before, found, rest = text.partition(f"{HEADING}\n")
    _, next_heading, after = rest.partition("\n## ")
    tail = f"## {after}" if found and next_heading else ""
    return f"{before.rstrip()}\n\n" + "\n".join(lines) + (f"\n{tail}" if tail else "")


def with_rows(text: str, lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown text in which these rows replace those with the same first cell."""
    new = {line[0]: table(line, [])[0] for line in lines}
    return "\n".join(new.get(row.removeprefix("| ").split(" | ", 1)[0], row) for row in text.split("\n"))


def compression(options: argparse.Namespace) -> list[list[str]]:
    """Measure the repair of compression; write its table, and return its lines."""
    restored = measured(options.shared, MODELS / "restore-jpeg", options.count, options.pairs)
    (MODELS / "restore-jpeg" / "table.md").write_text("\n".join(restored.lines) + "\n", "utf-8")
    lines = [line for source, rows in restored.sources.items() for line in compression_lines(source, rows)]
    return [*lines, *scale_lines(options.shared, options.count // 2)]


def exposure(options: argparse.Namespace) -> list[list[str]]:
    """Measure the repair of exposure; write its table, and return its lines."""
    folders = MODELS / "restore-exposure", MODELS / "defects"
    repairs = compared(options.shared, *folders, ("test", "real"), options.count)
    (MODELS / "restore-exposure" / "table.md").write_text("\n".join(repairs.lines) + "\n", "utf-8")
    return exposure_lines(repairs)


PARTS = {"costs": lambda _options: cost_lines(costs()), "compression": compression, "exposure": exposure}


def main() -> None:
    """Measure, and write the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, metavar="DIR", help="holds photos, camera, real-exposure")
    parser.add_argument("--count", type=int, default=60, metavar="N", help="photos of each source (default 60)")
    parser.add_argument("--pairs", type=int, default=400, metavar="N", help="pairs for the rule of the gain")
    parser.add_argument("--docs", type=Path, default=DOCS, metavar="FILE", help="whose section is written")
    parser.add_argument("--only", choices=PARTS, help="measure this part; costs want an idle machine")
    options = parser.parse_args()
    text = options.docs.read_text("utf-8")
    if options.only:
        text = with_rows(text, PARTS[options.only](options))
    else:  # costs first, since memory is the largest of all children so far
        spent, gained, exposed = (part(options) for part in PARTS.values())
        text = replaced(text, section([*gained, *exposed, *spent]))
    options.docs.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
