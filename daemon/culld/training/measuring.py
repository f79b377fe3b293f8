"""A model file just made, under the bench: its figures, its cost, and whether it agrees with its Keras twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.training.bench import Bench
from culld.training.contenders import Contender
from culld.training.evaluate import ask, milliseconds
from culld.training.export import LITERT_FILE, parity
from culld.training.figures import figures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from culld.training.dataset import Scene
    from culld.training.experiment import Experiment, Generation
    from culld.training.surroundings import Surroundings

_PARITY_FRAMES = 16
_TIMED = 50


def measure(
    folder: Path, scenes: Sequence[Scene], experiment: Experiment | Generation, around: Surroundings
) -> dict[str, Any]:
    """The figures of the LiteRT file in a folder on these scenes, and what a look costs here."""
    ours = contender(experiment.name, folder / LITERT_FILE, experiment, around)
    bench = Bench(around.photos, around.decode, around.jpeg, (ours,), around.progress, {})
    answers = ask(bench, scenes, experiment.seed, around.real_exposure)
    found = figures(answers, ours.name, ours.tag, ours.reject, experiment.prevalence)
    some = [around.decode(around.photos / scene.file) for scene in scenes[:_TIMED]]
    return found | {"milliseconds_per_frame": milliseconds(ours.open(), some)}


def contender(name: str, model: Path, experiment: Experiment | Generation, around: Surroundings) -> Contender:
    """A LiteRT file as a contender, with the thresholds of its experiment."""
    (blur, under, over) = experiment.thresholds
    tags, rejects = (blur.tag, under.tag, over.tag), (blur.reject, under.reject, over.reject)
    return Contender(name, lambda: around.engine(model), tags, rejects)


def check_parity(model: Any, folder: Path, scenes: Sequence[Scene], around: Surroundings) -> float:
    """How far LiteRT and Keras differ on some photos; raises `SystemFaultError` if it is too far."""
    frames = [around.decode(around.photos / scene.file) for scene in scenes[:_PARITY_FRAMES]]
    return parity(model, around.engine(folder / LITERT_FILE), frames)
