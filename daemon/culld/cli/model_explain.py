"""The files that explain a model: `culld model train` and `culld model export` write them beside it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from culld.errors import ConfigError
from culld.explain.network import LEVELS
from culld.training.cam.export import write_explanation

if TYPE_CHECKING:
    from pathlib import Path

    from culld.inference.card import Card


def with_explanation(folder: Path, card: Card) -> Card:
    """Write the files that explain the Keras model of a folder; return its card with their digests.

    A model without the levels that explain it is left as it is, with a note on standard error.
    """
    levels = sorted({level for names in LEVELS.values() for level in names})
    try:
        files = write_explanation(folder, levels)
    except ConfigError as error:
        print(f"culld explain cannot explain this model: {error}", file=sys.stderr)
        return replace(card, explain={})
    entry = {"files": files, "levels": {head.value: list(names) for head, names in LEVELS.items()}}
    return replace(card, explain={**card.explain, **entry})
