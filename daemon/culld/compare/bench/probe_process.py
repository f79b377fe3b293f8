"""The fresh process of the probe: `python -m culld.compare.bench.probe_process REQUEST` prints a cost as JSON."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.compare import registry
from culld.imaging.align import align
from culld.inference.litert import LiteRtNetwork, silence_stderr
from culld.inference.network import as_function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
    Run = Callable[[NDArray[np.uint8], NDArray[np.uint8]], object]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def main(request: dict[str, Any]) -> dict[str, float | int]:
    """Return the fields of a `Cost` for a request.

    Everything that a model may need is imported first, and the pairs are read. What the memory holds then is the
    baseline. The peak is that of this process alone: `ru_maxrss` would include the size of the parent at the fork.
    """
    _import_engines()
    pairs = _pairs(Path(request["pairs"]))
    _reset_peak()
    baseline = _kilobytes("VmRSS")
    times = _times(_opened(request["what"], request["name"]), pairs, request["warm_up"], request["runs"])
    p50, p95 = np.percentile(times, (50, 95))
    return {
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "runs": len(times),
        "memory_mb": round(max(_kilobytes("VmHWM") - baseline, 0) / 1024, 1),
        "baseline_mb": round(baseline / 1024, 1),
    }


def _import_engines() -> None:
    with contextlib.suppress(ImportError):
        import cv2

        cv2.setNumThreads(1)
    with contextlib.suppress(ImportError):
        import ai_edge_litert.interpreter  # noqa: F401 - part of the baseline


def _pairs(file: Path) -> list[Pair]:
    with np.load(file) as stored:
        return [(stored[f"a{number}"], stored[f"b{number}"]) for number in range(len(stored.files) // 2)]


def _opened(what: str, name: str) -> Run:
    """Return the function to measure; both networks of LiteRT run on one thread."""
    if what == "align":
        return align
    with silence_stderr():
        if what == "defects":
            network = as_function(LiteRtNetwork(Path(name) / "model.tflite"))
            return lambda first, _second: network(first)
        return registry.open_model(registry.entry(name))


def _times(run: Run, pairs: Sequence[Pair], warm_up: int, runs: int) -> list[float]:
    """Return the time of each run in ms, without those of the warm-up; the pairs follow each other in turn."""
    found = []
    for number in range(warm_up + runs):
        first, second = pairs[number % len(pairs)]
        start = time.perf_counter()
        run(first, second)
        found.append((time.perf_counter() - start) * 1000)
    return found[warm_up:]


def _reset_peak() -> None:
    with contextlib.suppress(OSError):  # without it the peak may be that of the imports, which is no less
        _CLEAR.write_text(_RESET_PEAK)


def _kilobytes(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))  # noqa: T201 - its output is read by the probe
