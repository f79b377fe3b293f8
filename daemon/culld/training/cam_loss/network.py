"""The network of the experiment: frozen layers, a trained tail, one logit, and its heat map as a second output.

The map is Grad-CAM at the last layer: the sum of its channels, each weighed by the mean gradient of the logit. Behind
that layer stand only the average over the picture and one dense layer, so the gradient is the kernel over the number
of cells, and Grad-CAM and HiResCAM are the same. The weights are detached from the graph, as in the source document:
a loss of the map trains the activations and not the weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from culld.training.backbones import build_backbone, mean
from culld.training.cam_loss.targets import GRID

if TYPE_CHECKING:
    from pathlib import Path

FROZEN: Final = "block_5_add"
"""The last layer of MobileNetV2 that is frozen: 32 channels at an eighth of the size."""

_SHAPE = (384, 512, 3)
_CHANNELS = 48
_FEATURES = (2 * GRID[0], 2 * GRID[1], 32)
_LEAST = 1e-4  # a logit: a map with less energy has no place


def build_frozen(weights: Path | str | None) -> Any:
    """Return the frozen Keras model from pixels 0..255 (n, 384, 512, 3) to features (n, 48, 64, 32)."""
    import keras

    whole = build_backbone("mobilenetv2", _SHAPE, weights)
    frozen = keras.Model(whole.input, whole.get_layer(FROZEN).output, name="frozen")
    frozen.trainable = False
    return frozen


def build_tail() -> Any:
    """Return the Keras model from features to `logit` (n, 1) and `cam` (n, 24, 32), signed, in units of the logit.

    The sum over a map is the logit without its bias.
    """
    import keras
    from keras.layers import Add, Conv2D

    features = keras.Input(_FEATURES, name="features")
    first = Conv2D(_CHANNELS, 3, strides=2, padding="same", activation="relu", name="first")(features)
    wide = {"padding": "same", "activation": "relu"}
    second = Conv2D(_CHANNELS, 3, dilation_rate=3, name="second", **wide)(first)
    third = Conv2D(_CHANNELS, 3, dilation_rate=6, name="third", **wide)(Add(name="sum")([first, second]))
    logit, cam = _explained_head()(third)
    return keras.Model(features, {"logit": logit, "cam": cam}, name="tail")


def _explained_head() -> Any:
    """Return the layer from activations to the logit and its map."""
    import keras

    class ExplainedHead(keras.layers.Layer):  # type: ignore[misc]
        """Average, one dense layer, and the map with detached weights."""

        def build(self, shape: tuple[int, ...]) -> None:
            """Make kernel and bias."""
            self.kernel = self.add_weight(shape=(shape[-1], 1), initializer="glorot_uniform", name="kernel")
            self.bias = self.add_weight(shape=(1,), initializer="zeros", name="bias")
            self.built = True

        def call(self, activations: Any) -> tuple[Any, Any]:
            """Return logit and map."""
            ops = keras.ops
            cells = activations.shape[1] * activations.shape[2]
            weights = ops.stop_gradient(self.kernel)[:, 0] / cells
            logit = ops.matmul(mean(activations), self.kernel) + self.bias
            return logit, ops.sum(activations * weights, axis=-1)

    return ExplainedHead(name="head")


def energy_outside(target: Any, cam: Any) -> Any:
    """Return the share of a map's positive energy outside of the target (n), 0..1: the loss of the map.

    `target` and `cam` are (n, 24, 32). It is the loss "Energy" of Rao and others, ICCV 2023.
    """
    import keras

    ops = keras.ops
    positive = ops.relu(cam)
    inside = ops.sum(positive * target, axis=(1, 2))
    return 1.0 - inside / (ops.sum(positive, axis=(1, 2)) + _LEAST)
