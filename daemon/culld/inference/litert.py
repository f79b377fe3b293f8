"""The network at work on the CPU; the only module that imports LiteRT, and only when an engine is built."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import numpy as np

from culld.errors import SystemFaultError
from culld.records import Defect, Scores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


class LiteRtNetwork:
    """Any LiteRT file that takes one frame and gives one row of numbers; not to be shared between threads."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """Load the file with LiteRT's own kernels (XNNPACK); raises `SystemFaultError`."""
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise SystemFaultError("LiteRT cannot be loaded: run `pip install ai-edge-litert`") from error
        try:
            self._interpreter = Interpreter(str(model), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as error:
            raise SystemFaultError(f"{model}: no model that LiteRT can load ({error})") from error
        (takes,), (gives,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._input, self._output = takes["index"], gives["index"]
        self.shape = tuple(int(side) for side in takes["shape"][1:])

    def run(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The row of numbers for one uint8 frame (height, width, 3)."""
        self._interpreter.set_tensor(self._input, frame[None])
        self._interpreter.invoke()
        row: NDArray[np.float32] = self._interpreter.get_tensor(self._output)[0]
        return row


@contextlib.contextmanager
def silence_stderr() -> Iterator[None]:
    """Keep LiteRT from telling of its delegate on stderr while it starts; its errors come as exceptions all the same.

    It turns the whole process's stderr away, so it is for single-threaded processes only.
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class LiteRtEngine:
    """Scores frames with a culld model; each thread and each process needs its own."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """Load `model.tflite`; raises `SystemFaultError` if it is not a network with one output per defect."""
        self._network = LiteRtNetwork(model, threads)
        outputs = self._network.run(np.zeros(self._network.shape, np.uint8)).shape
        if outputs != (len(Defect),):
            raise SystemFaultError(f"{model}: is no culld model: it gives {outputs} numbers, not one per defect")

    def score(self, frame: NDArray[np.uint8]) -> Scores:
        """The calibrated probabilities for one frame of the card's size, uint8 RGB (height, width, 3)."""
        blur, under, over = (float(chance) for chance in self._network.run(frame))
        return Scores(blur, under, over)
