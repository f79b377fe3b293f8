"""The network at work, on pictures drawn here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from culld.errors import SystemFaultError
from culld.inference.litert import LiteRtEngine
from culld.training.blur_kernels import convolve, gaussian

MODEL = Path(__file__).parents[2] / "models" / "defects" / "model.tflite"


@pytest.fixture(scope="module")
def engine() -> LiteRtEngine:
    """The shipped model, loaded once."""
    return LiteRtEngine(MODEL)


def town() -> np.ndarray:
    """A crisp picture 0..1: bricks of many colours under fine texture."""
    rng = np.random.default_rng(11)
    bricks = rng.uniform(0.1, 0.9, (24, 32, 3)).repeat(16, axis=0).repeat(16, axis=1)
    texture = rng.uniform(-0.08, 0.08, (384, 512, 1))
    return np.clip(bricks + texture, 0, 1).astype(np.float32)


def as_frame(picture: np.ndarray) -> np.ndarray:
    """Bring values 0..1 to the bytes that the engine takes."""
    return np.round(picture * 255).astype(np.uint8)


def test_scores_are_probabilities(engine: LiteRtEngine) -> None:
    """Preprocessing and sigmoid are inside the model: bytes in, 0..1 out."""
    scores = engine.score(as_frame(town()))

    assert all(0 <= chance <= 1 for chance in (scores.blur, scores.under, scores.over))


def test_the_same_frame_scores_the_same(engine: LiteRtEngine) -> None:
    """A photo judged twice gets one verdict, also by another engine with two threads."""
    frame = as_frame(town())

    again = LiteRtEngine(MODEL, threads=2).score(frame)

    assert engine.score(frame) == engine.score(frame)
    assert pytest.approx(engine.score(frame).blur, abs=1e-4) == again.blur


def test_a_blurred_copy_is_told_from_the_sharp_one(engine: LiteRtEngine) -> None:
    """A Gaussian of four pixels is beyond doubt; the sharp picture is not flagged."""
    picture = town()

    assert engine.score(as_frame(picture)).blur < 0.5
    assert engine.score(as_frame(convolve(picture, gaussian(4)))).blur > 0.97


def test_darker_and_brighter_copies_raise_the_right_score(engine: LiteRtEngine) -> None:
    """Four stops less, and burnt to white."""
    picture = town()
    plain = engine.score(as_frame(picture))

    assert engine.score(as_frame(picture * 0.15)).under > max(0.6, plain.under)
    assert engine.score(as_frame(np.clip(picture * 3 + 0.2, 0, 1))).over > max(0.6, plain.over)


def test_a_file_that_is_no_model_is_a_system_fault(tmp_path: Path) -> None:
    """The sentence names the file."""
    (tmp_path / "model.tflite").write_bytes(b"no model at all")

    with pytest.raises(SystemFaultError, match=r"model\.tflite"):
        LiteRtEngine(tmp_path / "model.tflite")


def test_a_missing_model_is_a_system_fault(tmp_path: Path) -> None:
    """Nothing there is as bad as nonsense there."""
    with pytest.raises(SystemFaultError, match=r"model\.tflite"):
        LiteRtEngine(tmp_path / "model.tflite")
