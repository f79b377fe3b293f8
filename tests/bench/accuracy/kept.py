"""Figures of a model that does not ship, kept in the folder of its recipe: the table shows them as its row.

`python -m bench.accuracy.kept OUT models/NAME --photos DIR` copies them from the card of a finished training. They are
those of the same pictures as the other rows only if the same photographs were kept out, so the kept file names these.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from culld.cli.model_evaluate import FIGURES
from culld.errors import ConfigError, SystemFaultError
from culld.inference.card import CARD_FILE, Card, load_card
from culld.training.dataset import Scene, read_index, split
from culld.training.experiment import TwoStageExperiment, load_recipe
from culld.training.report import evaluation_report, report_text

RECIPE = "train.yaml"
_OF_THE_MACHINE = ("milliseconds_per_frame", "largest_difference_to_keras")


@dataclass(frozen=True, slots=True)
class Kept:
    """The kept figures of one model: its card's id, a sentence about the run, and the figures."""

    name: str
    note: str
    figures: Mapping[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Keep the figures of a finished training; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy.kept", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the finished training")
    parser.add_argument("folder", type=Path, metavar="MODEL", help="folder of its recipe, where the figures are kept")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs that it was trained on")
    options = parser.parse_args(arguments)
    ended = datetime.fromtimestamp((options.out / CARD_FILE).stat().st_mtime, UTC)
    print(keep(options.out, options.folder, read_index(options.photos), f"{ended:%Y-%m-%d}"))
    return 0


def keep(out: Path, folder: Path, scenes: Iterable[Scene], date: str) -> Path:
    """Write the kept file of the training in `out` that ended on this date, and return its path.

    Raises `ConfigError` if the recipe in `folder` is another one, for instance one of another seed.
    """
    recipe, card = load_recipe(folder / RECIPE), load_card(out)
    if load_recipe(out / RECIPE) != recipe:
        raise ConfigError((f"{out / RECIPE} is not the recipe in {folder}",))
    figures = {name: value for name, value in card.metrics.items() if name not in _OF_THE_MACHINE}
    differs = recipe.differs if isinstance(recipe, TwoStageExperiment) else ""
    report = evaluation_report(card.id, {card.id: figures}, {card.id: _note(card, date, differs)})
    run = {
        "date": date,
        "digest": card.digest,
        "kept_out": kept_out(split(scenes, recipe.splits).test),
        "data": card.data,
        "origin": card.origin,
        "provenance": card.provenance,
    }
    (folder / FIGURES).write_text(report_text({**report, "run": run}), "utf-8")
    return folder / FIGURES


def read_kept(folder: Path, test: Sequence[Scene]) -> Kept | str:
    """Return the kept figures of a folder, or why there are none of these photographs."""
    if not (folder / FIGURES).exists():
        return "a recipe without a trained model"
    try:
        report = json.loads((folder / FIGURES).read_text("utf-8"))
        name, wanted = report["model"], report["run"]["kept_out"]
        found = Kept(name, report["notes"][name], report["contenders"][name])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError((f"{folder / FIGURES}: holds no kept figures ({error})",)) from error
    return found if wanted == kept_out(test) else "its figures are those of other photographs"


def kept_out(test: Iterable[Scene]) -> str:
    """Return a digest of the names of the photographs that no training saw."""
    return hashlib.sha256("\n".join(sorted(scene.file for scene in test)).encode()).hexdigest()


def _note(card: Card, date: str, differs: str) -> str:
    scenes, pictures = card.data["scenes"]["train"], card.data["training_pictures"]
    made = f"figures of its training of {date} on {pictures:,} pictures of {scenes:,} scenes; the model does not ship"
    return f"{made}; {differs}" if differs else made


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ConfigError, SystemFaultError) as error:
        sys.exit(str(error))
