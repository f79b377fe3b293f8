"""The LiteRT network on generated frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from culld.errors import SystemFaultError
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import ArraySpec, Signature
from culld.records import Scores
from culld.stages.read.scoring import DEFECT_NETWORK, open_litert, score
from culld.training.blur_kernels import convolve, gaussian

MODEL = Path(__file__).parents[2] / "models" / "defects" / "model.tflite"


@pytest.fixture(scope="module")
def network() -> LiteRtNetwork:
    """The shipped model, loaded once."""
    return open_litert(MODEL)


def town() -> np.ndarray:
    """A sharp picture 0..1: bricks of many colours under fine texture."""
    rng = np.random.default_rng(11)
    bricks = rng.uniform(0.1, 0.9, (24, 32, 3)).repeat(16, axis=0).repeat(16, axis=1)
    texture = rng.uniform(-0.08, 0.08, (384, 512, 1))
    return np.clip(bricks + texture, 0, 1).astype(np.float32)


def as_frame(picture: np.ndarray) -> np.ndarray:
    """Bring values 0..1 to the bytes that the network takes."""
    return np.round(picture * 255).astype(np.uint8)


def test_scores_are_probabilities(network: LiteRtNetwork) -> None:
    """Preprocessing and sigmoid are inside the model: bytes in, 0..1 out."""
    scores = score(network, as_frame(town()))

    assert all(0 <= chance <= 1 for chance in (scores.blur, scores.under, scores.over))


def test_the_same_frame_scores_the_same(network: LiteRtNetwork) -> None:
    """A photo judged twice gets one verdict, also by another network with two threads."""
    frame = as_frame(town())

    again = score(open_litert(MODEL, threads=2), frame)

    assert score(network, frame) == score(network, frame)
    assert pytest.approx(score(network, frame).blur, abs=1e-4) == again.blur


def test_a_blurred_copy_scores_higher_than_the_sharp_one(network: LiteRtNetwork) -> None:
    """A Gaussian of four pixels is beyond doubt; the sharp picture is not flagged."""
    picture = town()

    assert score(network, as_frame(picture)).blur < 0.5
    assert score(network, as_frame(convolve(picture, gaussian(4)))).blur > 0.97


def test_darker_and_brighter_copies_raise_the_right_score(network: LiteRtNetwork) -> None:
    """Four stops less, and burnt to white."""
    picture = town()
    plain = score(network, as_frame(picture))

    assert score(network, as_frame(picture * 0.15)).under > max(0.6, plain.under)
    assert score(network, as_frame(np.clip(picture * 3 + 0.2, 0, 1))).over > max(0.6, plain.over)


def test_a_file_that_is_no_model_is_a_system_fault(tmp_path: Path) -> None:
    """The sentence names the file."""
    (tmp_path / "model.tflite").write_bytes(b"no model at all")

    with pytest.raises(SystemFaultError, match=r"model\.tflite"):
        open_litert(tmp_path / "model.tflite")


def test_a_missing_model_is_a_system_fault(tmp_path: Path) -> None:
    """A missing file is reported like an invalid one."""
    with pytest.raises(SystemFaultError, match=r"model\.tflite"):
        open_litert(tmp_path / "model.tflite")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (
            Signature({"frame": ArraySpec((224, 224, 3), "uint8")}, DEFECT_NETWORK.outputs),
            r"model\.tflite: the model takes uint8 \(384, 512, 3\) as `frame`, but culld needs uint8 \(224, 224, 3\)",
        ),
        (
            Signature(DEFECT_NETWORK.inputs, {"probabilities": ArraySpec((4,), "float32")}),
            r"model\.tflite: the model gives float32 \(3,\) as `probabilities`, but culld needs float32 \(4,\)",
        ),
        (
            Signature(DEFECT_NETWORK.inputs | {"mask": ArraySpec((1,), "uint8")}, DEFECT_NETWORK.outputs),
            r"model\.tflite: the model takes frame, but culld needs frame, mask",
        ),
    ],
)
def test_a_model_of_other_arrays_is_a_system_fault(wanted: Signature, reason: str) -> None:
    """At the start, not over each photo; the sentence names both sizes."""
    with pytest.raises(SystemFaultError, match=reason):
        LiteRtNetwork(MODEL, wanted)


def test_arrays_have_the_names_in_the_file_unless_others_are_wanted() -> None:
    """The file names them itself, for networks whose outputs are not the defects."""
    signature = LiteRtNetwork(MODEL).signature

    assert signature == Signature(
        {"frame": ArraySpec((384, 512, 3), "uint8")}, {"output_0": ArraySpec((3,), "float32")}
    )


def test_several_frames_give_a_row_each(network: LiteRtNetwork) -> None:
    """The same rows as one after the other."""
    frames = np.stack([as_frame(town()), as_frame(town() * 0.15)])

    rows = network.run({"frame": frames})["probabilities"]

    assert rows.shape == (2, 3)
    for frame, row in zip(frames, rows, strict=True):
        assert score(network, frame) == Scores(*map(float, row))


@pytest.mark.parametrize("wrong", [np.zeros((1, 512, 384, 3), np.uint8), np.zeros((1, 384, 512, 3), np.float32)])
def test_a_frame_of_another_shape_or_type_is_a_mistake_of_the_caller(network: LiteRtNetwork, wrong: np.ndarray) -> None:
    """The message names the array and what it should be."""
    with pytest.raises(ValueError, match=r"`frame` is .*, not uint8 \(384, 512, 3\)"):
        network.run({"frame": wrong})
