"""The model folder of a configuration, and the thresholds that the policy takes from its card."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from culld.errors import SystemFaultError
from culld.inference.card import Card, load_card, require_network
from culld.records import NETWORK_DEFECTS
from culld.records.frame import HEIGHT, WIDTH
from culld.stages.decide.thresholds import threshold_for
from culld.system.data_files import data_locations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from culld.config import Config
    from culld.records import FolderPolicies

_NAME = "defects"
_FACES = "faces"


def shipped_models() -> list[Path]:
    """Return the folders that may contain the shipped models: in the source tree, then in the data of a wheel."""
    return data_locations("models")


def locate_face_networks() -> Path:
    """Return the folder of the networks that judge subjects; raises SystemFaultError without a card.json."""
    return locate_shipped(_FACES)


def locate_shipped(name: str) -> Path:
    """Return the folder of a shipped model; raises SystemFaultError without a card.json."""
    return _folder_with_card([folder / name for folder in shipped_models()], "install culld again")


def locate_model(configured: Path | None) -> Path:
    """Return the configured model folder, or the shipped one if None; raises SystemFaultError without a card.json."""
    candidates = [configured] if configured is not None else [folder / _NAME for folder in shipped_models()]
    return _folder_with_card(candidates, "set model.path to one, or install culld again")


def _folder_with_card(candidates: Sequence[Path], advice: str) -> Path:
    for candidate in candidates:
        if (candidate / "card.json").is_file():
            return candidate
    searched = ", ".join(str(candidate) for candidate in candidates)
    raise SystemFaultError(f"there is no model with a card.json in {searched}; {advice}")


def resolve_policies(config: Config) -> FolderPolicies:
    """Return the policies of the folders, with a number for each threshold that is configured as a precision.

    The model's card is read only for such a threshold. Raises ConfigError if the card holds no number for it, and
    SystemFaultError if there is no model.
    """

    @functools.cache
    def card() -> Card:
        return load_model(config.model.path)[1]

    return config.policies(lambda defect, precision: threshold_for(card().operating_points, defect, precision))


def load_model(configured: Path | None) -> tuple[Path, Card]:
    """Return the model folder and its card; the digest in the card is checked against the model.

    Raises SystemFaultError if they do not match, if the input is not the frame that culld decodes, or if the outputs
    are not the defects.
    """
    folder = locate_model(configured)
    card = load_card(folder)
    require_network(folder, card, (WIDTH, HEIGHT), NETWORK_DEFECTS)
    return folder, card
