"""The network that predicts a tone curve: two numbers for a thumbnail, the stops and the shoulder of the curve.

The curve takes linear light x (0..1) to g x / (1 + (g^p - 1) x^p)^(1/p) with the gain g = 2^stops and the shoulder p:
black stays black, white stays white, the slope at black is g, and a larger p keeps it longer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from culld.training.tone.experiment import ToneExperiment

SIZE: Final = (256, 192)
"""The (width, height) of the thumbnail; a portrait is turned by 90 degrees, as for the defect network."""
HALF: Final = (SIZE[0] // 2, SIZE[1] // 2)
"""The (width, height) of the pictures that it is trained on: the network halves a thumbnail first."""
SHOULDERS: Final = (0.5, 3.0)
STEEPEST_WHITE: Final = 3.0
"""The limit of the slope at white, in EV: 8 times. Beyond it the noise next to clipped areas is torn apart."""
_MIDDLE = 1.5
"""The shoulder of an untrained network."""
_LUMA = (0.2126, 0.7152, 0.0722)
_DARKEST = 1 / 255


def build_core(experiment: ToneExperiment) -> Any:
    """Return the Keras model from pixels, float32 0..255 RGB (n, 96, 128, 3), to stops and shoulders (n, 2).

    Its last layer starts at zero, so that an untrained network changes nothing.
    """
    import keras
    from keras.layers import Concatenate, Conv2D, Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Rescaling

    pixels = keras.Input((HALF[1], HALF[0], 3), name="pixels")
    scaled = Rescaling(1 / 128, -1.0, name="scale")(pixels)
    found = scaled
    for number, channels in enumerate(experiment.channels):
        found = Conv2D(channels, 3, strides=2, padding="same", activation="relu", name=f"shape{number}")(found)
    levels = Conv2D(experiment.levels, 1, activation="relu", name="level0")(scaled[:, ::2, ::2])
    levels = Conv2D(experiment.levels, 1, activation="relu", name="level1")(levels)
    seen = [GlobalAveragePooling2D()(found), GlobalMaxPooling2D()(found), GlobalAveragePooling2D()(levels)]
    both = Dense(experiment.width, activation="relu", name="both")(Concatenate()(seen))
    raw = Dense(2, kernel_initializer="zeros", name="raw")(both)
    return keras.Model(pixels, _in_range(raw, experiment.most_stops), name="tone")


def _in_range(raw: Any, most_stops: float) -> Any:
    """Return stops and shoulders within their limits; zeros give no stops and the middle shoulder."""
    from keras import ops
    from keras.layers import Activation, Concatenate, Rescaling

    low, high = SHOULDERS
    start = math.log((_MIDDLE - low) / (high - _MIDDLE))
    stops = Rescaling(most_stops, name="stops")(Activation("tanh")(raw[:, :1]))
    shoulder = Rescaling(high - low, low, name="shoulder")(Activation("sigmoid")(raw[:, 1:] + start))
    steepest = STEEPEST_WHITE / ops.maximum(-stops, STEEPEST_WHITE / high)
    return Concatenate(name="curve")([stops, ops.minimum(shoulder, steepest)])


def for_thumbnails(core: Any) -> Any:
    """Return the Keras model that halves thumbnails, float32 0..255 (n, 192, 256, 3), and predicts their curves."""
    import keras

    pixels = keras.Input((SIZE[1], SIZE[0], 3), name="thumbnail")
    return keras.Model(pixels, core(keras.layers.AveragePooling2D(2)(pixels)), name="tone_curve")


def corrected(wrong: Any, curve: Any) -> Any:
    """Return pixels, float32 0..255 RGB (n, height, width, 3), under their curves (n, 2): 0..1, hues kept, clipped.

    A lift goes by the brightest channel, so that it clips none; another curve by the luma.
    """
    from keras import ops

    srgb = wrong / 255
    stops, shoulder = curve[:, None, None, :1], curve[:, None, None, 1:]
    luma = ops.sum(srgb * ops.convert_to_tensor(_LUMA), axis=-1, keepdims=True)
    place = ops.where(stops > 0, ops.max(srgb, axis=-1, keepdims=True), luma)
    linear = _to_linear(ops.maximum(place, _DARKEST))
    power = ops.power(2.0, stops * shoulder) - 1
    bent = ops.power(2.0, stops) * linear / ops.power(1 + power * ops.power(linear, shoulder), 1 / shoulder)
    return _to_srgb(ops.clip(_to_linear(srgb) * bent / linear, 0.0, 1.0))


def _to_linear(srgb: Any) -> Any:
    from keras import ops

    return ops.where(srgb <= 0.04045, srgb / 12.92, ops.power((srgb + 0.055) / 1.055, 2.4))


def _to_srgb(linear: Any) -> Any:
    from keras import ops

    bright = 1.055 * ops.power(ops.maximum(linear, 0.003), 1 / 2.4) - 0.055
    return ops.where(linear <= 0.0031308, linear * 12.92, bright)
