"""The models of change by name: every module of `compare.models` with a `MODEL` is one."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import culld.compare.models
from culld.compare.converted import ConvertedNetwork
from culld.compare.model import Measure, Network
from culld.errors import ConfigError, SystemFaultError
from culld.inference.card import CARD_FILE, MODEL_FILE
from culld.system.data_files import data_locations

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from culld.compare.model import ChangeModel, Entry


def entries(package: ModuleType = culld.compare.models) -> tuple[Entry, ...]:
    """Return the models in the modules of a package: those without weights first, then by name.

    Raises TypeError for a module whose `MODEL` is neither a `Measure` nor a `Network`.
    """
    found: list[Entry] = []
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        model = getattr(importlib.import_module(module.name), "MODEL", None)
        if not isinstance(model, Measure | Network):
            raise TypeError(f"{module.name}: MODEL must be a Measure or a Network")
        found.append(model)
    return tuple(sorted(found, key=lambda each: (isinstance(each, Network), each.name)))


def entry(name: str) -> Entry:
    """Return the model of this name; raises ConfigError that names all models."""
    known = {each.name: each for each in entries()}
    if name not in known:
        raise ConfigError((f"model: {name!r} is not one of {', '.join(known)}",))
    return known[name]


def model_folder(entry: Entry) -> Path:
    """Return the folder of a model: the first that holds its card, else the one in the source tree."""
    folders = [place / entry.name for place in data_locations("models")]
    return next((folder for folder in folders if (folder / CARD_FILE).is_file()), folders[0])


def is_trained(entry: Entry) -> bool:
    """Return whether a model can be used: it has no weights, or its folder holds them."""
    folder = model_folder(entry)
    return isinstance(entry, Measure) or all((folder / name).is_file() for name in (CARD_FILE, MODEL_FILE))


def require_trained(entry: Entry) -> None:
    """Raise SystemFaultError, with the command that trains it, for a network without weights."""
    if not is_trained(entry):
        raise SystemFaultError(
            f"{entry.name} is untrained: write an experiment file with `recipe: change` and `network: {entry.name}`, "
            "and run `culld model train --experiment FILE --photos DIR`"
        )


def open_model(entry: Entry) -> ChangeModel:
    """Return a model that is ready to use; not to be shared between threads.

    Raises SystemFaultError for a network without weights, with the command that trains it, and for a damaged one.
    """
    if isinstance(entry, Measure):
        return entry.create()
    require_trained(entry)
    return ConvertedNetwork(model_folder(entry))
