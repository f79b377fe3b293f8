"""Measure how far heat maps can be trusted: writes explain.md into the model's folder, and the figures onto its card.

The levels that explain each head were chosen on scenes of the calibration; this command measures on those of the test.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.explain.faithfulness import Found, Judge
from bench.explain.pictures import chosen, pairs
from bench.explain.sanity import similarities
from bench.explain.table import figures_of, page
from culld.explain.method import Method
from culld.explain.network import ExplainNetwork
from culld.inference.card import read_card, save_card
from culld.records import NETWORK_DEFECTS, Defect
from culld.training.dataset import Scene, read_index, split
from culld.training.experiment import load_recipe
from culld.training.export import load_keras

PAGE = "explain.md"
_SANITY = 20


def main(arguments: Sequence[str]) -> int:
    """Measure and write, or print only; return 0."""
    options = _options(arguments)
    parts = split(read_index(options.photos), load_recipe(options.folder / "train.yaml").splits)
    scenes = chosen(parts.calibration if options.development else parts.test, options.count)
    network = ExplainNetwork.open(options.folder)
    figures: dict[str, Any] = {}
    for head in NETWORK_DEFECTS:
        measured = _measured(network, head, scenes, options)
        randomised = _randomised(network, head, scenes[:_SANITY], options)
        figures[head.value] = figures_of(measured, randomised)
        print(f"{head}: {len(scenes)} scenes", file=sys.stderr, flush=True)
    text = page(figures, network.levels)
    print(text, end="")
    if not options.print:
        (options.folder / PAGE).write_text(text, "utf-8")
        card = read_card(options.folder)
        save_card(options.folder, replace(card, explain={**card.explain, "figures": figures}))
    return 0


def _measured(
    network: ExplainNetwork, head: Defect, scenes: Sequence[Scene], options: argparse.Namespace
) -> Mapping[Method, list[Found]]:
    """The measurements by method; those of the default one on wholly degraded photos as well."""
    found: dict[Method, list[Found]] = {method: [] for method in Method}
    for number, pair in enumerate(pairs(options.photos, scenes, head)):
        for method, measured in found.items():
            judge = Judge(network, head, method)
            is_default = method is Method.HIRESCAM
            if is_default or number < options.count // 3:
                measured.append(judge.measure(pair, np.random.default_rng(number), whole=is_default))
    return found


def _randomised(
    network: ExplainNetwork, head: Defect, scenes: Sequence[Scene], options: argparse.Namespace
) -> Mapping[str, list[float]]:
    frames = [pair.local for pair in pairs(options.photos, scenes, head)]
    return similarities(network, load_keras(options.folder), frames, head)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.explain", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="MODEL", help="model folder with the files of `culld explain`")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    parser.add_argument("--count", type=int, default=150, metavar="N", help="scenes for each defect (150)")
    parser.add_argument("--development", action="store_true", help="measure on scenes of the calibration")
    parser.add_argument("--print", action="store_true", help="write nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
