"""The maps in NumPy, compared with gradients by TensorFlow and with another implementation of the methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from culld.explain.cam import class_activation_map
from culld.explain.method import Method
from culld.explain.network import ExplainNetwork
from culld.inference.litert import LiteRtNetwork
from culld.records import NETWORK_DEFECTS, Defect
from culld.training.backbones import deviation, mean
from culld.training.cam.export import GRAPH_FILE, levels_model, write_graph
from culld.training.defects.feature_groups import _peak
from culld.training.export import load_keras

FOLDER = Path(__file__).parents[2] / "models" / "defects"
LAYERS = (("full_3", Defect.BLUR), ("quarter_0", Defect.UNDER), ("half_0", Defect.OVER), ("quarter_3", Defect.BLUR))
"""Levels with the head that they are explained for: three of those that ship, and one more."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model() -> Any:
    """The shipped Keras model."""
    return load_keras(FOLDER)


@pytest.fixture(scope="module")
def network(model: Any, tmp_path_factory: pytest.TempPathFactory) -> ExplainNetwork:
    """The shipped heads, with a graph that has all tested levels."""
    shipped = ExplainNetwork.open(FOLDER)
    graph = tmp_path_factory.mktemp("graph") / GRAPH_FILE
    write_graph(levels_model(model, sorted({name for name, _ in LAYERS})), graph)
    return ExplainNetwork(LiteRtNetwork(graph), shipped.heads, shipped.levels)


def a_frame() -> np.ndarray:
    """Coloured noise of several sizes: nothing in it is flat."""
    rng = np.random.default_rng(8)
    picture = sum(
        rng.uniform(0, 1 / 3, (384 // size, 512 // size, 3)).repeat(size, axis=0).repeat(size, axis=1)
        for size in (4, 16, 64)
    )
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def tapped(model: Any, network: ExplainNetwork, name: str, head: Defect) -> Any:
    """A Keras model from pixels to the calibrated logit, whose layer `tap` is the level as this head reads it.

    Only what is pooled from this level depends on it: levels behind it are computed beside it, as in the network.
    """
    import keras

    pixels = keras.Input((384, 512, 3), name="pixels")
    outputs = levels_model(model)(pixels)
    tap = keras.layers.Rescaling(1.0, name="tap")(outputs[name])  # another tensor, unlike a linear activation
    features, ways = outputs["features"], {"mean": mean, "deviation": deviation, "peak": _peak}
    parts: list[Any] = []
    place = 0
    for pool in sorted(network.heads.pools[name], key=lambda each: each.start):
        parts += [features[:, place : pool.start]] if pool.start > place else []
        parts.append(ways[pool.way](tap))
        place = pool.end
    whole = keras.ops.concatenate([*parts, features[:, place:]], axis=1)
    number = NETWORK_DEFECTS.index(head)
    logits = model.get_layer("calibrated")(model.get_layer("heads")(whole))
    return keras.Model(pixels, logits[:, number : number + 1])


def own_map(network: ExplainNetwork, frame: np.ndarray, name: str, head: Defect, method: Method) -> np.ndarray:
    """The map of one level, before it is brought into cells."""
    outputs = network.outputs(frame)
    _, by_features = network.heads.by_defect[head].logit(outputs["features"])
    gradient = network.heads.level_gradient(name, outputs[name], by_features)
    return class_activation_map(method, outputs[name], gradient)


def scaled(values: np.ndarray) -> np.ndarray:
    """The values from 0 to 1."""
    return (values - values.min()) / (values.max() - values.min())


@pytest.mark.parametrize(("name", "head"), LAYERS)
def test_the_maps_are_those_of_gradients_by_tensorflow(
    model: Any, network: ExplainNetwork, name: str, head: Defect
) -> None:
    """To a thousandth of the largest value, for Grad-CAM and HiResCAM."""
    import keras
    import tensorflow as tf

    frame, whole = a_frame(), tapped(model, network, name, head)
    tap = keras.Model(whole.input, [whole.get_layer("tap").output, whole.output])
    with tf.GradientTape() as tape:
        pixels = tf.constant(frame[None].astype(np.float32))
        tape.watch(pixels)
        level, logit = tap(pixels)
    gradient = tape.gradient(logit, level)[0].numpy()
    level = level[0].numpy()

    for method, wanted in (
        (Method.HIRESCAM, (level * gradient).sum(axis=-1)),
        (Method.GRADCAM, level @ gradient.mean(axis=(0, 1))),
    ):
        found = own_map(network, frame, name, head, method)
        assert np.abs(found - wanted).max() < 1e-3 * np.abs(wanted).max(), method


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")  # tf-keras-vis uses an old name of SciPy
@pytest.mark.parametrize(("name", "head"), LAYERS[:3])
def test_the_maps_are_those_of_another_implementation(
    model: Any, network: ExplainNetwork, name: str, head: Defect
) -> None:
    """Those of tf-keras-vis for Grad-CAM and Grad-CAM++: negative values cut off, then scaled to 0..1.

    For Grad-CAM++ it is given the positive gradients alone: with the others its weights divide by nearly 0.
    """
    import tensorflow as tf
    from tf_keras_vis.gradcam import Gradcam  # noqa: PLC0415 (imports TensorFlow)
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus  # noqa: PLC0415

    frame, whole = a_frame(), tapped(model, network, name, head)

    for method, theirs, modifier in (
        (Method.GRADCAM, Gradcam, None),
        (Method.GRADCAM_PP, GradcamPlusPlus, tf.nn.relu),
    ):
        (wanted,) = theirs(whole, clone=False)(
            lambda output: output[:, 0],
            frame[None].astype(np.float32),
            penultimate_layer="tap",
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            gradient_modifier=modifier,
            normalize_cam=False,  # it adds a small number to the divisor, which hides the map of a small probability
        )
        found = np.maximum(own_map(network, frame, name, head, method), 0)
        assert np.abs(scaled(found) - scaled(np.asarray(wanted))).max() < 1e-3, method


def test_behind_global_average_pooling_gradcam_is_hirescam(network: ExplainNetwork, model: Any, tmp_path: Path) -> None:
    """The head of blur reads the mean of `quarter_4` alone."""
    write_graph(levels_model(model, ["quarter_4"]), tmp_path / GRAPH_FILE)
    last = ExplainNetwork(LiteRtNetwork(tmp_path / GRAPH_FILE), network.heads, network.levels)

    plain, fine = (
        own_map(last, a_frame(), "quarter_4", Defect.BLUR, each) for each in (Method.GRADCAM, Method.HIRESCAM)
    )

    assert np.abs(plain - fine).max() < 1e-5 * np.abs(fine).max()
