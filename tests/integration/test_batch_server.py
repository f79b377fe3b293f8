"""One process judges the frames of all workers, and its loss costs no photo."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.errors import SystemFaultError
from culld.inference.array_messages import limit_waits
from culld.inference.deferred import MAX_AHEAD
from culld.inference.gpu_client import GpuClient
from culld.inference.gpu_process import GpuProcess
from culld.inference.network import ArraySpec, Network, Signature
from culld.stages.read.scoring import DEFECT_NETWORK, open_litert
from harness import fakes

OWN = list(fakes.OWN_ROW)
SIGNATURE = fakes.FakeNetwork.signature
OwnNetwork = fakes.OwnNetwork


def frame(value: int) -> NDArray[np.uint8]:
    """A frame of one brightness."""
    return np.full((1, *SIGNATURE.inputs["frame"].shape), value, np.uint8)


@contextmanager
def connected(
    process: GpuProcess, count: int, own: Callable[[], Any] = OwnNetwork, signature: Signature = SIGNATURE
) -> Iterator[list[GpuClient]]:
    """Connect a number of workers' networks."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(GpuClient(process.address, signature, own))) for _ in range(count)]


def row(network: GpuClient, value: int) -> list[float]:
    """Return the expected row for a frame of one brightness: its brightness, and the size of the batch."""
    return network.run({"frame": frame(value)})["row"][0].tolist()


def asked(networks: list[GpuClient], values: list[int]) -> list[list[float]]:
    """Run all networks at once, and return the row of each."""
    with ThreadPoolExecutor(len(networks)) as threads:
        return list(threads.map(row, networks, values))


def test_each_worker_gets_the_answer_for_its_own_frame() -> None:
    """However many ask at once; the batch never grows beyond what the network takes."""
    with GpuProcess(fakes.FakeNetwork) as process, connected(process, 8) as networks:
        for turn in range(20):
            values = [turn * 8 + number for number in range(8)]
            found = asked(networks, values)
            assert [mean for mean, _ in found] == values
            assert all(1 <= batch <= fakes.FakeNetwork.largest for _, batch in found)


def test_frames_that_wait_go_through_the_network_together() -> None:
    """Eight workers ask while it is busy: it then takes as many as it can at once."""
    with GpuProcess(fakes.SlowNetwork) as process, connected(process, 8) as networks:
        batches = [batch for _ in range(5) for _, batch in asked(networks, [7] * 8)]

    assert max(batches) == fakes.FakeNetwork.largest


def test_the_frames_of_one_worker_go_through_the_network_together() -> None:
    """It sends them ahead, and gets each row by the number of its frame."""
    open_network = functools.partial(fakes.TimedNetwork, 0.2, 4)
    with GpuProcess(open_network) as process, connected(process, 1) as (network,):
        for number in range(1, 14):
            network.send(number, {"frame": frame(number)})
        found: dict[int, list[float]] = {}
        while len(found) < 13:
            network.wait()
            found |= {number: outputs["row"][0].tolist() for number, outputs in network.outputs()}

    assert [mean for _, (mean, _) in sorted(found.items())] == list(range(1, 14))
    assert max(batch for _, batch in found.values()) == 4
    assert sum(1 / batch for _, batch in found.values()) <= 5


def test_a_frame_that_is_run_at_once_comes_back_between_those_that_wait() -> None:
    """As for a RAW, which stays open for its scores."""
    open_network = functools.partial(fakes.TimedNetwork, 0.05, 4)
    with GpuProcess(open_network) as process, connected(process, 1) as (network,):
        for number in range(1, 8):
            network.send(number, {"frame": frame(number)})
        assert row(network, 99)[0] == 99
        found: dict[int, float] = {}
        while len(found) < 7:
            network.wait()
            found |= {number: outputs["row"][0][0] for number, outputs in network.outputs()}

    assert found == {number: number for number in range(1, 8)}


def test_a_worker_that_sends_without_end_is_read_no_further() -> None:
    """The memory of the GPU process is bounded."""
    with (
        GpuProcess(functools.partial(fakes.LargeFrames, 60.0), patience_s=2) as process,
        closing(GpuClient(process.address, fakes.LargeFrames.signature, OwnNetwork)) as network,
    ):
        large = np.zeros((1, *fakes.LargeFrames.signature.inputs["frame"].shape), np.uint8)
        for number in range(1, 2 * MAX_AHEAD):
            network.send(number, {"frame": large})
            if network._connection is None:
                break

    assert MAX_AHEAD <= number <= MAX_AHEAD + 4


def test_several_frames_of_one_worker_are_answered_in_their_order() -> None:
    """One after the other."""
    with GpuProcess(fakes.FakeNetwork) as process, connected(process, 1) as (network,):
        found = network.run({"frame": np.concatenate([frame(value) for value in (5, 3, 9)])})["row"]

    assert found[:, 0].tolist() == [5, 3, 9]


@pytest.mark.parametrize("wrong", [frame(1)[:, :2], frame(1).astype(np.float32), frame(1)[:0]])
def test_a_frame_of_another_shape_or_type_is_not_sent(wrong: NDArray[Any]) -> None:
    """It is a mistake of the caller; the connection stays in use."""
    with GpuProcess(fakes.FakeNetwork) as process, connected(process, 1) as (network,):
        with pytest.raises(ValueError, match=r"frame|at least one"):
            network.run({"frame": wrong})
        assert row(network, 4) == [4, 1]


def test_a_worker_that_would_send_other_arrays_goes_on_alone() -> None:
    """Both ends compare what they send before the first frame."""
    other = Signature({"frame": ArraySpec((1, 1, 3), "uint8")}, SIGNATURE.outputs)
    with GpuProcess(fakes.FakeNetwork) as process, connected(process, 1, signature=other) as (network,):
        assert network.run({"frame": np.zeros((1, 1, 1, 3), np.uint8)})["row"].tolist() == [OWN]


def test_when_the_process_is_gone_each_worker_goes_on_alone() -> None:
    """With one warning for all of them."""
    with fakes.Warnings() as warnings, GpuProcess(fakes.FakeNetwork) as process, connected(process, 3) as networks:
        assert row(networks[0], 8) == [8, 1]
        os.kill(process._process.pid or 0, signal.SIGKILL)

        assert [row(network, 9) for network in networks] == [OWN] * 3
        with connected(process, 1) as (late,):
            assert row(late, 9) == OWN
        assert warnings.changed.wait(10)
    assert warnings.texts == ["the GPU process ended (without a message); photos are now judged by LiteRT on the CPU"]


def test_a_network_that_fails_is_reported_with_its_reason() -> None:
    """For example a GPU without memory for one photo."""
    with fakes.Warnings() as warnings, GpuProcess(fakes.FakeNetwork) as process, connected(process, 1) as (network,):
        assert row(network, 255) == OWN
        assert warnings.changed.wait(10)
    assert warnings.texts[0].startswith("the GPU process ended (the GPU has no memory for a single photo)")


def test_a_network_that_cannot_be_opened_is_a_system_fault() -> None:
    """The daemon then logs the reason and judges by LiteRT."""
    with pytest.raises(SystemFaultError, match="no Keras model"), GpuProcess(fakes.broken_network):
        pass


@pytest.mark.parametrize("sent", [b"", b"x" * 32, b"\0\0\0\4wxyz", b"\xff" * 8])
def test_a_client_without_the_key_gets_no_answer(sent: bytes) -> None:
    """A connection without the key is closed, and the others are served as before."""
    with GpuProcess(fakes.FakeNetwork) as process, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(process.address.name)
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # what was sent was not even read to its end
            while part := client.recv(4096):
                answer += part

        assert b"CHALLENGE" in answer
        assert b"WELCOME" not in answer
        with connected(process, 1) as (network,):
            assert row(network, 51) == [51, 1]


def test_a_client_with_another_key_continues_alone() -> None:
    """It neither gets an answer nor waits for one."""
    with GpuProcess(fakes.FakeNetwork) as process:
        other = replace(process.address, key=b"x" * 32)
        with closing(GpuClient(other, SIGNATURE, OwnNetwork)) as network:
            assert row(network, 51) == OWN


def test_silent_clients_do_not_delay_the_others() -> None:
    """Each waits on its own, and is closed after a time limit."""
    with GpuProcess(fakes.FakeNetwork) as process, ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.connect(process.address.name)

        with connected(process, 2) as networks:
            assert [mean for mean, _ in asked(networks, [51, 52])] == [51, 52]


def test_a_process_that_hangs_is_given_up_after_a_time() -> None:
    """Neither a frame that is not taken nor an answer that does not come holds a worker for ever."""
    ours, theirs = socket.socketpair()
    with closing(Connection(ours.detach())) as connection, theirs:
        limit_waits(connection, 1)

        with pytest.raises(BlockingIOError):
            connection.recv_bytes()
        with pytest.raises(BlockingIOError):
            connection.send_bytes(bytes(10_000_000))


@pytest.mark.slow
@pytest.mark.timeout(540)
def test_tensorflow_gives_the_scores_of_litert() -> None:
    """On the CPU here; three frames go through batches of at most two."""
    pytest.importorskip("tensorflow", reason="needs the extra `gpu`")
    folder = Path(__file__).parents[2] / "models" / "defects"
    litert = open_litert(folder / "model.tflite")
    dice = np.random.default_rng(3)
    frames = [dice.integers(0, top, (1, 384, 512, 3), np.uint8) for top in (20, 255, 128)]

    def probabilities(network: Network, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        return network.run({"frame": frame})["probabilities"]

    whole = GpuProcess(functools.partial(fakes.small_tensorflow, folder))  # type: ignore[arg-type]
    with (
        whole as process,
        connected(process, 3, own=lambda: None, signature=DEFECT_NETWORK) as networks,
        ThreadPoolExecutor(3) as threads,
    ):
        found = list(threads.map(probabilities, networks, frames))

    for each, row in zip(frames, found, strict=True):
        assert row == pytest.approx(probabilities(litert, each), abs=1e-3)
