"""Export of a restoration network to LiteRT: the averaged weights, for square tiles of one side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from culld.errors import ConfigError, SystemFaultError
from culld.training.export import write_litert
from culld.training.restoration.network import MULTIPLE

if TYPE_CHECKING:
    from pathlib import Path

SIDE: Final = 704
"""The side of a tile in px: of all sides up to 768, it needs the fewest computed pixels for photos of 5 to 24 MP."""


def averaged(checkpoint: Path) -> Any:
    """Return the Keras model of a checkpoint of a training run with its averaged weights.

    Raises SystemFaultError if it cannot be loaded, or holds no optimizer.
    """
    import keras

    try:
        model = keras.models.load_model(checkpoint)
        model.optimizer.finalize_variable_values(model.trainable_variables)
    except (OSError, ValueError, AttributeError) as error:
        raise SystemFaultError(f"{checkpoint}: no checkpoint of a training run can be loaded ({error})") from error
    return model


def write_restoration(model: Any, path: Path, side: int = SIDE, precision: str = "float16") -> str:
    """Convert to LiteRT from a tile, uint8 (1, side, side, 3), to its repaired pixels as float32 of the same shape.

    The pixels are neither rounded nor clipped. Returns the SHA-256 of the file in hex. Raises ConfigError for a side
    that is no multiple of `MULTIPLE`.
    """
    if side <= 0 or side % MULTIPLE:
        raise ConfigError((f"side: {side} is not a multiple of {MULTIPLE}",))
    return write_litert(model, path, precision, (side, side))
