"""Train the tone network and write its folder with the card.

`PYTHONPATH=tests .venv/bin/python -m bench.train_tone --photos DIR [--experiment FILE] [--out DIR]`
"""

from __future__ import annotations

import argparse
from pathlib import Path

from culld.cli.model_common import ProgressBars, print_figures, run_context
from culld.enhance.exposure import SIZE
from culld.inference.card import Card, load_card, save_card
from culld.training.context import TrainingResult
from culld.training.provenance import provenance
from culld.training.tone.experiment import ToneExperiment, load_tone
from culld.training.tone.train import train_tone

LIMITS = (
    "No detail is made where the photo is clipped: white stays white, black stays black.",
    "A strongly over-exposed photo gets darker where it is not clipped, and most of them are still over-exposed.",
    "It cannot know whether a night was meant to be dark: it is for photos that were judged under or over before.",
    "Dark tones are lifted by 4 EV at most; their noise grows with them.",
)


def card_of(experiment: ToneExperiment, trained: TrainingResult, made: dict[str, str]) -> Card:
    """Return the card of the trained network: its outputs are numbers of a curve, so the thresholds are empty."""
    return Card(
        name=experiment.name,
        version=experiment.version,
        digest=trained.digest,
        width=SIZE[0],
        height=SIZE[1],
        labels=("stops", "shoulder"),
        thresholds=(),
        data=trained.data,
        origin={"weights": "at random", "licence": "none needed", "notice": "no weights of others"},
        metrics=trained.metrics,
        calibration={},
        provenance=made,
        limits=LIMITS,
    )


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with an index.csv")
    parser.add_argument("--experiment", type=Path, metavar="FILE", help="default: the values that ship")
    parser.add_argument("--out", type=Path, default=Path("models/restore-exposure"), metavar="DIR")
    parser.add_argument("--cache", type=Path, metavar="DIR")
    parser.set_defaults(real_exposure=None)
    options = parser.parse_args()
    made = provenance()
    experiment = load_tone(options.experiment) if options.experiment else ToneExperiment()
    text = options.experiment.read_text("utf-8") if options.experiment else None
    with ProgressBars() as shown:
        trained = train_tone(experiment, run_context(options, options.out, shown.progress, text))
    save_card(options.out, card_of(experiment, trained, made))
    print(f"{load_card(options.out).id} written to {options.out}")
    print_figures(trained.metrics)


if __name__ == "__main__":
    main()
