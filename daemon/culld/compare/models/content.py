"""The map of content change without weights: what no blur and no light explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.compare.model import Measure

if TYPE_CHECKING:
    from culld.compare.model import ChangeModel


def create() -> ChangeModel:
    """Return the model."""
    from culld.compare.content import content_change  # noqa: PLC0415 (loads NumPy)

    return content_change


MODEL = Measure("content", "what no blur and no light explains, set against the noise", create)
