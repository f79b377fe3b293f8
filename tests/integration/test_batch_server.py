"""One process judges the frames of all workers, and its loss costs no photo."""

from __future__ import annotations

import functools
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.errors import SystemFaultError
from culld.inference.batch_server import GpuClient
from culld.inference.gpu_process import GpuProcess
from culld.records import Scores
from harness import fakes

OWN = Scores(0.5, 0.5, 0.5)


class OwnEngine:
    """What a worker falls back to."""

    def score(self, _frame: NDArray[np.uint8]) -> Scores:
        """Always the same."""
        return OWN


def frame(value: int) -> NDArray[np.uint8]:
    """A frame of one brightness."""
    return np.full(fakes.FakeNetwork.shape, value, np.uint8)


@contextmanager
def connected(process: GpuProcess, count: int, own: Callable[[], Any] = OwnEngine) -> Iterator[list[GpuClient]]:
    """So many workers' engines."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(GpuClient(process.address, own))) for _ in range(count)]


def asked(engines: list[GpuClient], frames: list[NDArray[np.uint8]]) -> list[Scores]:
    """What each of the engines says of its frame, all at once."""
    with ThreadPoolExecutor(len(engines)) as threads:
        return list(threads.map(lambda engine, frame: engine.score(frame), engines, frames))


def test_each_worker_gets_the_answer_for_its_own_frame() -> None:
    """However many ask at once; the batch never grows beyond what the network takes."""
    with GpuProcess(fakes.FakeNetwork) as process, connected(process, 8) as engines:
        for turn in range(20):
            values = [turn * 8 + number for number in range(8)]
            found = asked(engines, [frame(value) for value in values])
            assert [round(scores.blur * 255) for scores in found] == values
            assert all(scores.over <= fakes.FakeNetwork.largest for scores in found)


def test_when_the_process_is_gone_each_worker_goes_on_alone() -> None:
    """With one warning for all of them."""
    with fakes.Warnings() as warnings, GpuProcess(fakes.FakeNetwork) as process, connected(process, 3) as engines:
        assert engines[0].score(frame(0)).blur == 0
        os.kill(process._process.pid or 0, signal.SIGKILL)

        assert [engine.score(frame(9)) for engine in engines] == [OWN] * 3
        with connected(process, 1) as (late,):
            assert late.score(frame(9)) == OWN
        assert warnings.changed.wait(10)
    assert warnings.texts == [
        "TensorFlow is gone (its process ended); from now on photos are judged by LiteRT on the CPU"
    ]


def test_a_network_that_fails_is_told_with_its_reason() -> None:
    """A GPU without memory for one photo, say."""
    with fakes.Warnings() as warnings, GpuProcess(fakes.FakeNetwork) as process, connected(process, 1) as (engine,):
        assert engine.score(frame(255)) == OWN
        assert warnings.changed.wait(10)
    assert warnings.texts[0].startswith("TensorFlow is gone (the GPU has no memory for a single photo)")


def test_a_network_that_cannot_be_opened_is_a_system_fault() -> None:
    """The daemon then says so and judges by LiteRT."""
    with pytest.raises(SystemFaultError, match="no Keras model"), GpuProcess(fakes.broken_network):
        pass


@pytest.mark.parametrize("key", [b"", b"x" * 32])
def test_a_stranger_gets_no_answer(key: bytes) -> None:
    """Whoever does not know the key is hung up on, and the others are served all the same."""
    with GpuProcess(fakes.FakeNetwork) as process:
        stranger = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stranger.connect(process.address.name)
        stranger.sendall(key)
        if not key:
            stranger.shutdown(socket.SHUT_WR)
        assert stranger.recv(1) == b""
        stranger.close()

        with connected(process, 1) as (engine,):
            assert engine.score(frame(51)).blur == pytest.approx(0.2)


@pytest.mark.slow
@pytest.mark.timeout(540)
def test_tensorflow_says_what_litert_says() -> None:
    """On the CPU here; three frames go through batches of at most two."""
    pytest.importorskip("tensorflow", reason="needs the extra `tensorflow`")
    from culld.inference.litert import LiteRtEngine  # noqa: PLC0415

    folder = Path(__file__).parents[2] / "models" / "defects"
    litert = LiteRtEngine(folder / "model.tflite")
    dice = np.random.default_rng(3)
    frames = [dice.integers(0, top, (384, 512, 3), np.uint8) for top in (20, 255, 128)]

    whole = GpuProcess(functools.partial(fakes.small_tensorflow, folder))  # type: ignore[arg-type]
    with whole as process, connected(process, 3, own=lambda: None) as engines:
        found = asked(engines, frames)

    for each, scores in zip(frames, found, strict=True):
        wanted = litert.score(each)
        assert (scores.blur, scores.under, scores.over) == pytest.approx(
            (wanted.blur, wanted.under, wanted.over), abs=1e-3
        )
