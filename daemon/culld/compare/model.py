"""What every model of change is: a function from two aligned frames to the probability of change of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Frame: TypeAlias = NDArray[np.uint8]
    ChangeMap: TypeAlias = NDArray[np.float32]


class ChangeModel(Protocol):
    """Finds where two aligned frames of one scene differ in content."""

    def __call__(self, first: Frame, second: Frame) -> ChangeMap:
        """Return the probability of change, 0..1, of each pixel: float32 (height, width).

        Both frames are uint8 RGB (height, width, 3) of one size, the second one aligned with the first.
        """
        ...


@dataclass(frozen=True, slots=True)
class Measure:
    """A model of change without weights.

    `name` is the one of the command line, and `summary` one clause for tables. `create` makes the model, with its heavy
    imports.
    """

    name: str
    summary: str
    create: Callable[[], ChangeModel]


@dataclass(frozen=True, slots=True)
class Network:
    """A model of change with trained weights, in the model folder of the same name; untrained without that folder.

    `build(size, weights)` returns the Keras model from two frames of this (height, width), float32 0..255 RGB, to one
    map of logits (n, height, width, 1); `weights` is the file of the backbone's weights, None for random ones.
    """

    name: str
    summary: str
    build: Callable[..., Any]


Entry: TypeAlias = "Measure | Network"
"""What a module of `compare.models` holds under the name `MODEL`."""
