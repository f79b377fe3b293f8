"""The model folder that a configuration means, and what the policy takes from its card."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from culld.errors import SystemFaultError
from culld.inference.card import Card, load_card, require_network
from culld.records import Defect
from culld.records.frame import HEIGHT, WIDTH
from culld.stages.decide.precision_targets import threshold_for
from culld.system.data_files import data_locations

if TYPE_CHECKING:
    from pathlib import Path

    from culld.config import Config
    from culld.records import FolderPolicies

_NAME = "defects"


def shipped_models() -> list[Path]:
    """Where culld's own models may lie: in the source tree, then where an installed wheel puts its data."""
    return data_locations("models")


def locate_model(configured: Path | None) -> Path:
    """The model folder to use: the configured one, else the one that comes with culld; raises SystemFaultError."""
    candidates = [configured] if configured is not None else [folder / _NAME for folder in shipped_models()]
    for candidate in candidates:
        if (candidate / "card.json").is_file():
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise SystemFaultError(
        f"there is no model with a card.json in {looked}; set model.path to one, or install culld again"
    )


def resolve_policies(config: Config) -> FolderPolicies:
    """Return the policies in force, with a number for each threshold that is given by its precision.

    Only such a threshold needs the model's card. Raises ConfigError where the card gives no number for one, and
    SystemFaultError without a model.
    """

    @functools.cache
    def card() -> Card:
        return load_model(config.model.path)[1]

    return config.policies(lambda defect, precision: threshold_for(card().operating_points, defect, precision))


def load_model(configured: Path | None) -> tuple[Path, Card]:
    """The model folder and its card, proven to belong together; raises SystemFaultError.

    A model that takes other frames than culld decodes, or has other outputs than the defects, is refused.
    """
    folder = locate_model(configured)
    card = load_card(folder)
    require_network(folder, card, (WIDTH, HEIGHT), tuple(Defect))
    return folder, card
