"""Who is measured beside a model: other models, plain rules, CleanVision; and why somebody is not."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from culld.imaging.decode import save
from culld.inference.card import CARD_FILE, MODEL_FILE, load_card
from culld.training import baselines
from culld.training.baselines import Classifier, LaplacianBaseline, fitted_rules, measuring, plain_rules
from culld.training.cleanvision import NAME, CleanVision
from culld.training.defects.protocols import linear_protocol
from culld.training.measuring import bench

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from culld.training.bench import FrameBatch
    from culld.training.context import RunContext
    from culld.training.defects.dataset import Scene

_RULES, _FITTED = "plain rules", "plain rules, fitted"


@dataclass(slots=True)
class Classifiers:
    """Those who came: `contenders` (the model first), `batches` by name; `notes` about them; `missing` with reasons."""

    contenders: list[Classifier] = field(default_factory=list)
    batches: dict[str, Callable[[], AbstractContextManager[FrameBatch]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def collect_classifiers(
    args: argparse.Namespace, around: RunContext, calibration: Sequence[Scene], seed: int
) -> Classifiers:
    """Everybody whom the command line asks for; rules are fitted on the calibration scenes.

    Raises `SystemFaultError` if the model itself, or the CleanVision that was pointed at, cannot be run.
    """
    called = Classifiers([_model(args.folder, around)])
    for folder in _others(args):
        _call_model(called, folder, around)
    if args.peers:
        _call_rules(called, around, calibration, seed)
        _call_cleanvision(called, args.cleanvision)
    else:
        called.missing["plain rules, CleanVision"] = "only with --peers"
    return called


def _others(args: argparse.Namespace) -> Iterator[Path]:
    """The folders of the other models, each once."""
    folders = list(args.beside)
    if args.peers:
        folders += sorted(file.parent for file in args.folder.resolve().parent.glob("*/train.yaml"))
    seen = {args.folder.resolve()}
    for folder in folders:
        if folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder


def _call_model(called: Classifiers, folder: Path, around: RunContext) -> None:
    if not (folder / CARD_FILE).exists():
        called.missing[folder.name] = "a recipe without a trained model"
        return
    found = _model(folder, around)
    if found.name not in {contender.name for contender in called.contenders}:
        called.contenders.append(found)


def _model(folder: Path, around: RunContext) -> Classifier:
    """A model of culld's with the thresholds of its card."""
    card = load_card(folder)
    return baselines.model(card.id, lambda: around.engine(folder / MODEL_FILE), card.thresholds, chances=True)


def _call_rules(called: Classifiers, around: RunContext, calibration: Sequence[Scene], seed: int) -> None:
    fitted = _fitted(around, calibration, seed)
    called.contenders += [plain_rules(LaplacianBaseline(), _RULES), plain_rules(fitted, _FITTED)]
    called.notes[_RULES] = f"variance of the {LaplacianBaseline()}, as tutorials have it"
    called.notes[_FITTED] = f"variance of the {fitted}: the highest F1 on {len(calibration)} other photographs"


def _fitted(around: RunContext, calibration: Sequence[Scene], seed: int) -> LaplacianBaseline:
    judge = measuring()
    protocols = {"linear": linear_protocol(calibration, seed)}
    seen = bench((judge,), around).score("pictures to fit rules on", protocols)["linear"]
    return fitted_rules(seen.scores[judge.name], seen.labels)


def _call_cleanvision(called: Classifiers, python: Path | None) -> None:
    if python is None and importlib.util.find_spec("cleanvision"):
        python = Path(sys.executable)
    if python is None:
        called.missing[NAME] = "no --cleanvision PYTHON was given"
        return
    peer = CleanVision(python, save)
    called.batches[f"{NAME} {peer.version()}"] = peer.gather
