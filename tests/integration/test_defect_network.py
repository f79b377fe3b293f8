"""The network's parts: backbones, groups of numbers, heads that see some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from culld.errors import ConfigError
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import as_function
from culld.records import Defect
from culld.training.backbones import BACKBONES, build_backbone, mean
from culld.training.calibration import Calibration
from culld.training.defects.feature_groups import GROUPS, build_groups
from culld.training.defects.network import HEADS, Layout, assemble, average, build_heads, joined, layout_of
from culld.training.export import MAX_PROBABILITY_DIFFERENCE, parity, round_kernels, write_litert

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's own
]
INPUTS = {Defect.BLUR: ("a",), Defect.UNDER: ("b",), Defect.OVER: ("a", "c")}


@pytest.fixture(scope="module")
def light() -> Any:
    """The group that needs no backbone."""
    import keras

    keras.utils.set_random_seed(0)
    return build_groups("mobilenetv2", None, ["light"])


def numbers(model: Any, pixels: np.ndarray) -> np.ndarray:
    """The group's numbers for one picture."""
    found: np.ndarray = np.asarray(model.predict(pixels[None].astype(np.float32), verbose=0)[0])
    return found.ravel()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_has_the_levels_it_names(backbone: str) -> None:
    """Layer names of another Keras would be found out here."""
    model = build_backbone(backbone, (64, 96, 3), None)

    sides = [model.get_layer(name).output.shape[1] for name in BACKBONES[backbone].stages]

    assert sides == sorted(sides, reverse=True)


def test_an_unknown_backbone_or_group_is_a_clear_error(tmp_path: Path) -> None:
    """The message lists what there is."""
    with pytest.raises(ConfigError, match="is not one of mobilenetv2"):
        build_backbone("vgg", (64, 64, 3), None)
    with pytest.raises(ConfigError, match="colour: a group is one of mean"):
        build_groups("mobilenetv2", None, ["colour"])
    with pytest.raises(ConfigError, match="no groups at half size"):
        build_groups("efficientnetb0", None, ["late_half"])
    (tmp_path / "w.npz").write_bytes(b"no zip")
    with pytest.raises(ConfigError, match=r"w\.npz: no weights"):
        build_backbone("mobilenetv2", (64, 64, 3), tmp_path / "w.npz")


def test_every_group_has_the_length_that_the_layout_says() -> None:
    """MobileNetV2 gives all groups."""
    model = build_groups("mobilenetv2", None, GROUPS)

    sizes = layout_of(model, GROUPS).sizes

    assert sizes["mean"] == sizes["deviation"] == sizes["peak"] == 32 + 96 + 144 + 192
    assert sizes["late_half"] == sizes["late_quarter"] == 1280
    assert sizes["grid"] == 4 * 6 * 8


def test_the_grid_keeps_the_place_of_light() -> None:
    """A white left half is bright and burnt there, the black right half black."""
    grid = build_groups("mobilenetv2", None, ["grid"])
    pixels = np.zeros((384, 512, 3))
    pixels[:, :256] = 255

    bright, burnt, black, spread = numbers(grid, pixels).reshape(6, 8, 4).transpose(2, 0, 1)

    np.testing.assert_allclose(bright, np.tile([1, 1, 1, 1, 0, 0, 0, 0], (6, 1)), atol=1e-5)
    np.testing.assert_allclose(burnt, bright, atol=1e-5)
    np.testing.assert_allclose(black, 1 - bright, atol=1e-5)
    np.testing.assert_allclose(spread, 0, atol=0.011)


def test_light_distinguishes_black_grey_and_white(light: Any) -> None:
    """The histogram's bins 0, half way and last hold everything; burnt and black shares are 1 where they should be."""
    black, white = (numbers(light, np.full((384, 512, 3), level)) for level in (0, 255))

    assert pytest.approx(1.0, abs=1e-5) == black[0]
    assert pytest.approx(1.0, abs=1e-5) == white[31]
    burnt, nearly_burnt, _, pitch_black = 64, 65, 66, 67
    assert [1.0, 1.0, 0.0] == pytest.approx([white[burnt], white[nearly_burnt], white[pitch_black]], abs=1e-4)
    assert [0.0, 0.0, 1.0] == pytest.approx([black[burnt], black[nearly_burnt], black[pitch_black]], abs=1e-4)


def test_light_does_not_care_for_left_and_right(light: Any) -> None:
    """Mirrored pictures are equally bright."""
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 3)).repeat(32, axis=0).repeat(32, axis=1)

    np.testing.assert_allclose(numbers(light, pixels), numbers(light, pixels[:, ::-1]), atol=2e-3)


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_depends_on_its_inputs_and_nothing_else(kind: str) -> None:
    """Changing a group moves only the logits of the heads that see it."""
    layout = Layout({"a": 4, "b": 3, "c": 2})
    heads = build_heads(kind, layout, INPUTS, (np.zeros(9, np.float32), np.ones(9, np.float32)), dropout=0.2)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2, 9)).astype(np.float32)
    rows[1, :4] = rows[0, :4]
    rows[1, 7:] = rows[0, 7:]

    logits = heads.predict(rows, verbose=0)

    assert logits[0, 0] == logits[1, 0]
    assert logits[0, 1] != logits[1, 1]
    assert logits[0, 2] == logits[1, 2]


def test_several_sets_of_heads_give_the_mean_of_their_logits() -> None:
    """And the result is a model that can be saved like one set alone."""
    layout, norm = Layout({"a": 4, "b": 3, "c": 2}), (np.zeros(9, np.float32), np.ones(9, np.float32))
    members = [build_heads("first", layout, INPUTS, norm, dropout=0.0) for _ in range(3)]
    rows = np.random.default_rng(0).normal(size=(2, 9)).astype(np.float32)
    each = [member.predict(rows, verbose=0) for member in members]

    whole = average(members)

    np.testing.assert_allclose(np.mean(each, axis=0), whole.predict(rows, verbose=0), atol=1e-6)
    assert average(members[:1]) is members[0]


def test_an_input_that_is_not_there_is_a_clear_error() -> None:
    """The message names the group and those at hand."""
    with pytest.raises(ConfigError, match="z: not among a"):
        Layout({"a": 4}).columns(["z"])


@pytest.fixture(scope="module")
def whole() -> Any:
    """A network with all kinds of groups, whose weights were rounded."""
    import keras

    keras.utils.set_random_seed(0)  # the rounding of unlucky weights moves a probability by more than is allowed
    groups = ("mean", "deviation", "late_half", "light")
    features = round_kernels(build_groups("mobilenetv2", None, groups))
    layout = layout_of(features, groups)
    width = sum(layout.sizes.values())
    inputs = {Defect.BLUR: groups[:2], Defect.UNDER: groups[2:], Defect.OVER: groups[3:]}
    norm = (np.zeros(width, np.float32), np.ones(width, np.float32))
    heads = build_heads("second", layout, inputs, norm, dropout=0.0)
    return assemble(joined(features), round_kernels(heads), Calibration())


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """Noise, an even grey, and near black: what single precision sums up badly."""
    rng = np.random.default_rng(0)
    bricks = rng.integers(0, 255, (12, 16, 3)).repeat(32, axis=0).repeat(32, axis=1)
    dark = rng.integers(0, 3, (384, 512, 3))
    return [frame.astype(np.uint8) for frame in (bricks, np.full((384, 512, 3), 128), dark)]


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_both_precisions_agree_with_keras(whole: Any, frames: list[np.ndarray], precision: str, tmp_path: Path) -> None:
    """Half the file, the very same answers."""
    path = tmp_path / "model.tflite"
    write_litert(whole, path, precision)

    assert parity(whole, as_function(LiteRtNetwork(path)), frames) <= MAX_PROBABILITY_DIFFERENCE


def test_half_precision_is_about_half_the_file(whole: Any, tmp_path: Path) -> None:
    """What is not halved are biases, norms and the graph itself."""
    sizes = []
    for precision in ("float32", "float16"):
        write_litert(whole, tmp_path / precision, precision)
        sizes.append((tmp_path / precision).stat().st_size)

    assert sizes[1] < 0.55 * sizes[0]


def test_an_unknown_precision_is_a_clear_error(whole: Any, tmp_path: Path) -> None:
    """Before an hour of training is lost at its end."""
    with pytest.raises(ConfigError, match="precision: 'int8' is not one of float32, float16"):
        write_litert(whole, tmp_path / "model.tflite", "int8")


def test_rounded_weights_are_half_precision_numbers(whole: Any) -> None:
    """Kernels alone; the scale of the calibration stays what it was."""
    kernel, bias = whole.get_layer("heads").get_layer("blur_1").get_weights()

    np.testing.assert_array_equal(kernel, kernel.astype(np.float16).astype(np.float32))
    assert bias.dtype == np.float32


def test_the_mean_of_an_even_picture_does_not_drift_in_litert(tmp_path: Path) -> None:
    """Adding 200,000 equal values one after the other does, by a thousandth."""
    import keras

    pixels = keras.Input((384, 512, 3))
    write_litert(keras.Model(pixels, mean(pixels / 255.0)), tmp_path / "mean.tflite")

    found = as_function(LiteRtNetwork(tmp_path / "mean.tflite"))(np.full((384, 512, 3), 27, np.uint8))

    np.testing.assert_allclose(found, 27 / 255, rtol=1e-5)
