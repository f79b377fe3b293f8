"""The contenders of a comparison: the model, other models, the Laplacian baselines, CleanVision."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.accuracy.baselines import Classifier, Frame, LaplacianBaseline, fitted_baseline, measures
from bench.accuracy.cleanvision import NAME, CleanVision
from bench.accuracy.contenders import Contenders, FrameBatch
from culld.imaging.encode import save
from culld.inference.card import CARD_FILE, MODEL_FILE, load_card
from culld.training.context import RunContext
from culld.training.dataset import Scene
from culld.training.evaluate import network_scorer, score_protocols
from culld.training.protocols import linear_protocol

_RULES, _FITTED = "plain rules", "plain rules, fitted"


@dataclass(slots=True)
class Collection:
    """Classifiers (the model first) and batches by name; `notes` about them; `missing` ones with the reason."""

    classifiers: list[Classifier] = field(default_factory=list)
    batches: dict[str, Callable[[], AbstractContextManager[FrameBatch]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def contenders(self) -> Contenders:
        """All that can be run."""
        return Contenders(tuple(self.classifiers), self.batches)


def collect(
    folder: Path,
    beside: Sequence[Path],
    cleanvision: Path | None,
    calibration: Sequence[Scene],
    seed: int,
    context: RunContext,
) -> Collection:
    """Return the model of a folder and its peers; a baseline is fitted on the calibration scenes.

    `beside` are further model folders, besides those next to `folder`; `cleanvision` is an interpreter that has it.
    Raises `SystemFaultError` if the model itself or the interpreter cannot be run.
    """
    found = Collection([_model(folder, context)])
    for other in _others(folder, beside):
        _add_model(found, other, context)
    _add_baselines(found, calibration, seed, context)
    _add_cleanvision(found, cleanvision)
    return found


def _others(folder: Path, beside: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders of the other models, each once."""
    seen = {folder.resolve()}
    for other in (*beside, *sorted(file.parent for file in folder.resolve().parent.glob("*/train.yaml"))):
        if other.resolve() not in seen:
            seen.add(other.resolve())
            yield other


def _add_model(found: Collection, folder: Path, context: RunContext) -> None:
    if not (folder / CARD_FILE).exists():
        found.missing[folder.name] = "a recipe without a trained model"
        return
    model = _model(folder, context)
    if model.name not in {classifier.name for classifier in found.classifiers}:
        found.classifiers.append(model)


def _model(folder: Path, context: RunContext) -> Classifier:
    """Return the model of a folder with the thresholds of its card."""
    card = load_card(folder)
    blur, under, over = card.thresholds
    return Classifier(
        card.id,
        lambda: context.engine(folder / MODEL_FILE),
        (blur.tag, under.tag, over.tag),
        (blur.reject, under.reject, over.reject),
        calibrated=True,
    )


def _add_baselines(found: Collection, calibration: Sequence[Scene], seed: int, context: RunContext) -> None:
    fixed, fitted = LaplacianBaseline(), _fitted(calibration, seed, context)
    found.classifiers += [fixed.classifier(_RULES), fitted.classifier(_FITTED)]
    found.notes[_RULES] = f"variance of the {fixed}, as tutorials have it"
    found.notes[_FITTED] = f"variance of the {fitted}: the highest F1 on {len(calibration)} other photographs"


def _fitted(calibration: Sequence[Scene], seed: int, context: RunContext) -> LaplacianBaseline:
    def run(frame: Frame) -> np.ndarray:
        return np.array([*measures(frame), 0], np.float32)

    score = network_scorer(lambda: run, context.progress)
    protocols = {"linear": linear_protocol(calibration, seed)}
    measured = score_protocols(score, "pictures to fit rules on", protocols, context)["linear"]
    return fitted_baseline(measured.scores, measured.labels)


def _add_cleanvision(found: Collection, python: Path | None) -> None:
    if python is None and importlib.util.find_spec("cleanvision"):
        python = Path(sys.executable)
    if python is None:
        found.missing[NAME] = "no --cleanvision PYTHON was given"
        return
    peer = CleanVision(python, save)
    found.batches[f"{NAME} {peer.version()}"] = peer.gather
