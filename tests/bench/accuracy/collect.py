"""The contenders of a comparison: the model, others or their kept figures, the Laplacian baselines, CleanVision."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench.accuracy.baselines import Classifier, Frame, LaplacianBaseline, fitted_baseline, measures
from bench.accuracy.cleanvision import NAME, CleanVision
from bench.accuracy.contenders import Contenders, FrameBatch
from bench.accuracy.kept import RECIPE, read_kept
from culld.imaging.encode import save
from culld.inference.card import CARD_FILE, MODEL_FILE, load_card
from culld.training.change.experiment import RECIPE as CHANGE
from culld.training.context import RunContext
from culld.training.dataset import Scene, Split, read_index, split
from culld.training.evaluate import network_scorer, score_protocols
from culld.training.experiment import Splits, recipe_of
from culld.training.protocols import linear_protocol

_RULES, _FITTED = "plain rules", "plain rules, fitted"


@dataclass(slots=True)
class Collection:
    """Classifiers (the model first), batches by name, and figures of `kept` models that do not ship.

    `notes` about them; `missing` ones with the reason.
    """

    classifiers: list[Classifier] = field(default_factory=list)
    batches: dict[str, Callable[[], AbstractContextManager[FrameBatch]]] = field(default_factory=dict)
    kept: dict[str, Mapping[str, Any]] = field(default_factory=dict)
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
    parts: Split,
    seed: int,
    context: RunContext,
) -> Collection:
    """Return the model of a folder and its peers; a baseline is fitted on the calibration scenes of `parts`.

    `beside` are further model folders, besides those next to `folder`; `cleanvision` is an interpreter that has it.
    Raises `SystemFaultError` if the model itself or the interpreter cannot be run.
    """
    found = Collection([_model(folder, context)])
    for other in _others(folder, beside):
        _add_model(found, other, parts, context)
    _add_baselines(found, parts.calibration, seed, context)
    _add_cleanvision(found, cleanvision)
    return found


def _others(folder: Path, beside: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders of the other models of defects, each once."""
    seen = {folder.resolve()}
    recipes = sorted(folder.resolve().parent.glob("*/train.yaml"))
    for other in (*beside, *(file.parent for file in recipes if recipe_of(file) != CHANGE)):
        if other.resolve() not in seen:
            seen.add(other.resolve())
            yield other


def _add_model(found: Collection, folder: Path, parts: Split, context: RunContext) -> None:
    """Add the model of a folder, or its kept figures; one that was trained on test scenes is missing."""
    if not (folder / CARD_FILE).exists():
        _add_kept(found, folder, parts.test)
        return
    model = _model(folder, context)
    if seen := _trained_on(folder, parts, context):
        found.missing[model.name] = f"it was trained on {seen} of these photographs"
    elif model.name not in {classifier.name for classifier in found.classifiers}:
        found.classifiers.append(model)


def _add_kept(found: Collection, folder: Path, test: Sequence[Scene]) -> None:
    kept = read_kept(folder, test)
    if isinstance(kept, str):
        found.missing[folder.name] = kept
    else:
        found.kept[kept.name], found.notes[kept.name] = kept.figures, kept.note


def _trained_on(folder: Path, parts: Split, context: RunContext) -> int:
    """Return how many of the test scenes the split of another model's recipe does not keep out; 0 without a recipe.

    Only the split is read: an older recipe has names that `load_recipe` refuses.
    """
    try:
        facts = yaml.safe_load((folder / RECIPE).read_text("utf-8"))
    except FileNotFoundError:
        return 0
    names = {each.name for each in fields(Splits)}
    others = Splits(**{key: value for key, value in facts.items() if key in names})
    kept = {scene.file for scene in split(read_index(context.photos), others).test}
    return sum(scene.file not in kept for scene in parts.test)


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
