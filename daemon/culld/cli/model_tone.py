"""`culld model train` for the network that repairs exposure: training, card, figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import exit_codes, model_common
from culld.enhance.exposure import SIZE
from culld.inference.card import Card, load_card, save_card
from culld.training.experiment import as_yaml
from culld.training.provenance import provenance
from culld.training.tone.experiment import load_tone
from culld.training.tone.train import train_tone

if TYPE_CHECKING:
    import argparse

    from culld.training.context import TrainingResult
    from culld.training.tone.experiment import ToneExperiment

_LIMITS = (
    "No detail is made where the photo is clipped: white stays white, black stays black.",
    "A strongly over-exposed photo gets darker where it is not clipped, and most of them are still over-exposed.",
    "It cannot know whether a night was meant to be dark: it is for photos that were judged under or over before.",
    "Dark tones are lifted by 4 EV at most; their noise grows with them.",
)


def train(args: argparse.Namespace) -> int:
    """Train the network of an experiment file with `recipe: tone`, measure it, and write its model folder."""
    experiment, made, text = load_tone(args.experiment), provenance(), args.experiment.read_text("utf-8")
    if args.seed is not None:
        experiment = replace(experiment, seed=args.seed)
        text = as_yaml(experiment)
    out = args.out or Path("models") / experiment.name
    with model_common.ProgressBars() as shown:
        trained = train_tone(experiment, model_common.run_context(args, out, shown.progress, text))
    save_card(out, _card(experiment, trained, made))
    print(f"{load_card(out).id} written to {out}")
    model_common.print_figures(trained.metrics)
    return exit_codes.FINE


def _card(experiment: ToneExperiment, trained: TrainingResult, made: dict[str, str]) -> Card:
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
        limits=_LIMITS,
    )
