"""A model file just made, under the bench: its figures, its cost, and whether it agrees with its Keras twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.training import baselines
from culld.training.bench import Bench
from culld.training.evaluate import milliseconds, predict
from culld.training.export import LITERT_FILE, parity
from culld.training.figures import evaluation_figures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from culld.training.baselines import Classifier
    from culld.training.bench import Batches
    from culld.training.context import RunContext
    from culld.training.defects.dataset import Scene
    from culld.training.experiment import Experiment, TwoStageExperiment

_PARITY_FRAMES = 16
_TIMED = 50


def measure(
    folder: Path, scenes: Sequence[Scene], experiment: Experiment | TwoStageExperiment, around: RunContext
) -> dict[str, Any]:
    """The figures of the LiteRT file in a folder on these scenes, and what a look costs here."""
    ours = baselines.model(experiment.name, lambda: around.engine(folder / LITERT_FILE), experiment.thresholds)
    answers = predict(bench((ours,), around), scenes, experiment.seed, around.real_exposure)
    found = evaluation_figures(answers, ours.name, ours.tag, ours.reject, experiment.prevalence)
    return found | {"milliseconds_per_frame": cost(ours, scenes, around)}


def bench(known: Sequence[Classifier], around: RunContext, batches: Batches | None = None) -> Bench:
    """The bench of a run, for these contenders and those who judge in `batches`."""
    return Bench(around.photos, around.decode, around.jpeg, tuple(known), around.progress, batches or {})


def cost(who: Classifier, scenes: Sequence[Scene], around: RunContext) -> float:
    """The median milliseconds of one look, at the clean frames of some scenes, here and now."""
    return milliseconds(who.open(), [around.decode(around.photos / scene.file) for scene in scenes[:_TIMED]])


def check_parity(model: Any, folder: Path, scenes: Sequence[Scene], around: RunContext) -> float:
    """How far LiteRT and Keras differ on some photos; raises `SystemFaultError` if it is too far."""
    frames = [around.decode(around.photos / scene.file) for scene in scenes[:_PARITY_FRAMES]]
    return parity(model, around.engine(folder / LITERT_FILE), frames)
