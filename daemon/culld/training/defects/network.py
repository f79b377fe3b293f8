"""The network: feature groups of a picture, and one head per defect that takes some of them as inputs.

Blur and exposure show in the first layers of a pretrained backbone; deeper layers describe the scene. Keras is imported
only when a network is built. Names of layers are part of the exported file: another name gives another digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError
from culld.records import NETWORK_DEFECTS, Defect
from culld.records.frame import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culld.training.calibration import Calibration

HEADS: dict[str, dict[Defect, tuple[tuple[int, ...], float]]] = {
    "first": dict.fromkeys(NETWORK_DEFECTS, ((16,), 0.0)),
    "second": {Defect.BLUR: ((64, 32, 16), 0.15), Defect.UNDER: ((32, 16), 0.1), Defect.OVER: ((32, 16), 0.1)},
}
"""The two generations of heads of the source document: units of the hidden layers, and the dropout after the first."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each group of numbers stands in the vector of all of them: `sizes` by name, in order."""

    sizes: Mapping[str, int]

    def columns(self, groups: Sequence[str]) -> list[tuple[int, int]]:
        """Return the slices (start, end) of these groups; raises `ConfigError` for one that is not there."""
        ends = np.cumsum([0, *self.sizes.values()]).tolist()
        slices = dict(zip(self.sizes, pairwise(ends), strict=True))
        if missing := [group for group in groups if group not in slices]:
            raise ConfigError((f"inputs: {', '.join(missing)}: not among {', '.join(slices)}",))
        return [slices[group] for group in groups]


def layout_of(features: Any, groups: Sequence[str]) -> Layout:
    """Return the layout of the outputs of `build_groups` for these groups."""
    return Layout({group: int(output.shape[1]) for group, output in zip(groups, features.outputs, strict=True)})


def joined(features: Any) -> Any:
    """Return the same model with one vector instead of one for each group."""
    import keras

    return keras.Model(features.inputs, keras.ops.concatenate(features.outputs, axis=1), name="features")


def build_heads(
    kind: str,
    layout: Layout,
    inputs: Mapping[Defect, Sequence[str]],
    norm: tuple[NDArray[np.float32], NDArray[np.float32]],
    dropout: float,
) -> Any:
    """Return the Keras model from the vector of all groups to three logits.

    `inputs` names the groups of each head, `norm` is mean and variance of the training features, `dropout` that in
    front of the heads.
    """
    import keras

    features = keras.Input((norm[0].shape[0],), name="features")
    normed = keras.layers.Normalization(mean=norm[0], variance=norm[1], name="normed")(features)
    thinned = keras.layers.Dropout(dropout, name="neck_dropout")(normed)
    logits = [build_head(kind, defect, _columns(thinned, layout.columns(inputs[defect]))) for defect in NETWORK_DEFECTS]
    return keras.Model(features, keras.layers.Concatenate(name="logits")(logits), name="heads")


def average(members: Sequence[Any]) -> Any:
    """Return the Keras model from features to the mean of these models' logits."""
    import keras

    if len(members) == 1:
        return members[0]
    features = keras.Input(members[0].input_shape[1:], name="features")
    for number, member in enumerate(members):
        member.name = f"heads_{number}"
    logits = keras.layers.Average(name="mean_logits")([member(features) for member in members])
    return keras.Model(features, logits, name="heads")


def assemble(features: Any, heads: Any, calibration: Calibration) -> Any:
    """Return the whole Keras model: pixels 0..255 in, calibrated probabilities [blur, under, over] out."""
    import keras

    pixels = keras.Input((HEIGHT, WIDTH, 3), name="pixels")
    logits = heads(features(pixels))
    scaled = keras.layers.Rescaling(list(calibration.scale), offset=list(calibration.offset), name="calibrated")(logits)
    return keras.Model(pixels, keras.layers.Activation("sigmoid", name="probabilities")(scaled), name="defects")


def _columns(features: Any, slices: Sequence[tuple[int, int]]) -> Any:
    import keras

    parts = [features[:, start:end] for start, end in slices]
    return parts[0] if len(parts) == 1 else keras.ops.concatenate(parts, axis=1)


def build_head(kind: str, defect: Defect, inputs: Any) -> Any:
    """Return the logit of one defect out of the inputs of its head; raises `ConfigError` for an unknown kind."""
    from keras.layers import Dense, Dropout

    if kind not in HEADS:
        raise ConfigError((f"heads: {kind!r} is not one of {', '.join(HEADS)}",))
    units, dropout = HEADS[kind][defect]
    inner = inputs
    for place, size in enumerate(units, start=1):
        inner = Dense(size, "relu", name=f"{defect}_{place}")(inner)
        inner = Dropout(dropout, name=f"{defect}_dropout")(inner) if place == 1 and dropout else inner
    return Dense(1, name=f"logit_{defect}")(inner)
