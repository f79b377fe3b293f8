"""The loss of the segmentation network: Dice and cross-entropy of each map, where a label has weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

NAME: Final = "dice_entropy"
"""The name under which a saved model refers to the loss."""
_TINY: Final = 1.0


def dice_entropy(dice: float, entropy: float) -> Callable[[Any, Any], Any]:
    """Return the loss with these weights of both parts.

    It takes labels and their weights, float32 (n, height, width, 16), the labels first, and logits (n, height, width,
    8). Dice is that of each class over the whole batch; classes that the batch lacks do not count, for their Dice
    would be 1 without any merit.
    """
    from keras import ops

    def loss(truth: Any, logits: Any) -> Any:
        labels, weights = ops.split(truth, 2, axis=-1)
        cross = (ops.softplus(logits) - labels * logits) * weights
        mean = ops.sum(cross) / (ops.sum(weights) + _TINY)
        found = ops.sigmoid(logits) * weights
        wanted = labels * weights
        axes = (0, 1, 2)
        present = ops.cast(ops.sum(wanted, axes) > 0.5, logits.dtype)
        both, either = ops.sum(found * wanted, axes), ops.sum(found, axes) + ops.sum(wanted, axes)
        missing = 1 - (2 * both + _TINY) / (either + _TINY)
        return entropy * mean + dice * ops.sum(missing * present) / (ops.sum(present) + 1e-6)

    loss.__name__ = NAME
    return loss
