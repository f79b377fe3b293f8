"""Measure how series are recognised: `python -m bench.series MODEL --shared FOLDER` prints a table in Markdown.

Development used the half `dev`; the report is of the half `test`.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.series.collection import Collection
from bench.series.rates import HEAD, JudgedDrop, judged, tallies
from bench.series.sets import Drop
from culld.inference.network import Network
from culld.records import Assessment, Scores
from culld.stages.read.assess import dhash_of
from culld.stages.read.scoring import open_litert, score
from harness import factories


def main() -> None:
    """Make, judge and count the drops."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="the folder of the model, such as models/defects")
    parser.add_argument("--shared", type=Path, required=True, help="the folder that holds photos, more and camera")
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    parser.add_argument("--count", type=int, default=80, help="drops of each kind and source")
    parser.add_argument("--judged", type=Path, help="file that keeps the judged drops, to count them again")
    options = parser.parse_args()
    if not options.shared.is_dir():
        sys.exit(f"{options.shared} is no folder: the photographs are not part of the repository")
    drops = _judged(options)
    print(f"{sum(len(drop.shots) for drop in drops)} photos in {len(drops)} drops, half `{options.half}`\n\n{HEAD}")
    for kind, tally in tallies(drops, factories.rules()).items():
        print(tally.line(kind))


def _judged(options: argparse.Namespace) -> list[JudgedDrop]:
    if options.judged and options.judged.exists():
        kept: list[JudgedDrop] = pickle.loads(options.judged.read_bytes())  # noqa: S301 (written below)
        return kept
    network = open_litert(options.model / "model.tflite")
    drops = [
        judged(drop, _assessed(drop, network)) for drop in Collection(options.shared, options.half).drops(options.count)
    ]
    if options.judged:
        options.judged.write_bytes(pickle.dumps(drops))
    return drops


def _assessed(drop: Drop, network: Network) -> Iterator[tuple[Scores, Assessment]]:
    for number, frame in enumerate(drop.frames):
        shot = factories.assessment(f"{number:03}.jpg")
        photo = replace(shot.photo, camera=frame.camera, digest=str(number))
        yield score(network, frame.pixels), replace(shot, photo=photo, dhash=dhash_of(frame.pixels))


if __name__ == "__main__":
    main()
