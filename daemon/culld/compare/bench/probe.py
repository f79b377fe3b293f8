"""Time and memory of a model in a fresh process: starts the process, gives it the pairs, reads what it measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.compare.bench.results import Cost
from culld.errors import SystemFaultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]

WARM_UP: Final = 5
"""Runs before those that are timed."""
RUNS: Final = 60

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
_LONGEST_S = 600.0


def change_cost(name: str, pairs: Sequence[Pair], runs: int = RUNS) -> Cost:
    """Return the cost of the model of change of this name; raises SystemFaultError if its process fails."""
    return _cost("change", name, pairs, runs)


def defect_cost(folder: Path, frames: Sequence[NDArray[np.uint8]], runs: int = RUNS) -> Cost:
    """Return the cost of the network in a model folder for one frame; raises SystemFaultError if its process fails."""
    return _cost("defects", str(folder.resolve()), [(frame, frame) for frame in frames], runs)


def alignment_cost(pairs: Sequence[Pair], runs: int = RUNS // 3) -> Cost:
    """Return the cost of aligning the second photo of a pair; raises SystemFaultError if its process fails."""
    return _cost("align", "", pairs, runs)


def _cost(what: str, name: str, pairs: Sequence[Pair], runs: int) -> Cost:
    with tempfile.TemporaryDirectory(prefix="culld-bench-") as folder:
        file = Path(folder) / "pairs.npz"
        frames = {f"{place}{number}": pair[place == "b"] for number, pair in enumerate(pairs) for place in "ab"}
        np.savez(file, allow_pickle=False, **frames)
        request = json.dumps({"what": what, "name": name, "pairs": str(file), "warm_up": WARM_UP, "runs": runs})
        return Cost(**json.loads(_answer(request, name or what)))


def _answer(request: str, name: str) -> str:
    """Return the last line of the process's output."""
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "culld.compare.bench.probe_process", request]
    try:
        ended = subprocess.run(  # noqa: S603 - our own module in our own interpreter
            command, env=environment, capture_output=True, text=True, check=True, timeout=_LONGEST_S
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise SystemFaultError(f"the cost of {name} cannot be measured: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise SystemFaultError(f"the cost of {name} cannot be measured: {_LONGEST_S:g} s passed") from error
    return ended.stdout.strip().splitlines()[-1]
