"""How well the GPU path batches: its rate beside that of decoding alone, the size of its batches, and its latency.

    PYTHONPATH=tests python -m bench.batching [--photos 64] [--repeat 5] [--turns 3] [--limit 16]

No GPU is needed: a stand-in takes the same time for every batch and no processor. Its time is set from the rate of
decoding alone, which is measured first, so that with full batches it would be as fast as the decoders, twice as fast or
half as fast. TensorFlow runs on the CPU, where it shares the cores with the decoders. Each engine is measured between
two measurements of decoding alone, turn by turn in one run; medians are printed. The photos are JPEGs of 6 megapixels
cut from the camera originals of the shared folder, and each is read as by `culld once`: digest, camera facts, faces,
hash, user metadata.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.subject_cost import SHARED, plain
from culld.app.engine_pool import decoded_ahead
from culld.app.model_files import load_model, locate_face_networks
from culld.inference.card import MODEL_FILE
from culld.inference.gpu_process import GpuProcess
from culld.inference.pool import Pool
from culld.inference.process_start import CONTEXT
from culld.inference.worker_process import WorkerLimits
from culld.records import Assessment, FileSnapshot, FileStat, RootedPath, Scores
from culld.stages.read import ReadRequest, WorkerSettings, create_worker
from culld.stages.read.scoring import DEFECT_NETWORK
from culld.stages.read.worker import PhotoWorker

_NOTHING = np.zeros((1, 3), np.float32)
_LITERT_S = 0.027
"""The time that the stand-in takes for a single photo when latency is measured: about that of LiteRT."""


class NoNetwork:
    """A network that costs nothing, for the rate of decoding alone."""

    signature = DEFECT_NETWORK

    def run(self, _arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return zeros."""
        return {"probabilities": _NOTHING}


class DecodingWorker(PhotoWorker):
    """A worker without a network."""

    def _own_network(self) -> NoNetwork:
        return NoNetwork()


@dataclass
class StandIn:
    """A device of the same cost for every batch."""

    seconds: float
    largest: int
    device: str = "a stand-in"
    precision: str = "float32"
    signature = DEFECT_NETWORK

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Sleep, and return a row for each frame."""
        time.sleep(self.seconds)
        return {"probabilities": np.repeat(_NOTHING, len(arrays["frame"]), axis=0)}


class Counted:
    """A network that counts its batches and their photos in an array that both processes share."""

    def __init__(self, network: Any, counts: Any) -> None:
        """Count the batches of this network."""
        self._network, self._counts = network, counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the network."""
        self._counts[0] += 1
        self._counts[1] += len(arrays["frame"])
        found: dict[str, NDArray[Any]] = self._network.run(arrays)
        return found


def counted(open_network: Callable[[], Any], counts: Any) -> Counted:
    """Open a network and count its batches."""
    return Counted(open_network(), counts)


def tensorflow(folder: Path, largest: int) -> Any:
    """Open the defect network in TensorFlow."""
    from culld.inference.tensorflow import TensorFlowNetwork  # noqa: PLC0415 (only its own process loads it)

    return TensorFlowNetwork(folder, DEFECT_NETWORK, largest)


@dataclass
class Engine:
    """A pool of workers with its engine, and what was measured with it."""

    name: str
    pool: Pool
    limit: int = 0
    counts: Any = field(default_factory=lambda: CONTEXT.Array("Q", 2))
    rates: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def measure(self, requests: Sequence[ReadRequest]) -> None:
        """Read all photos at once: the rate in photos a second, and the mean batch if there is a GPU process."""
        self.counts[:] = (0, 0)
        begun = time.monotonic()
        found = self.pool.submit(requests).results()
        self.rates.append(len(requests) / (time.monotonic() - begun))
        scored = sum(isinstance(each, Assessment) and isinstance(each.result, Scores) for each in found)
        if scored < len(requests):
            raise SystemExit(f"{self.name}: {len(requests) - scored} photos were not scored")
        if self.limit:
            self.batches.append(self.counts[1] / self.counts[0])

    def measure_latency(self, requests: Sequence[ReadRequest]) -> None:
        """Read photos one after the other: the milliseconds of each."""
        for request in requests:
            begun = time.monotonic()
            self.pool.submit([request]).results()
            self.latencies.append(1000 * (time.monotonic() - begun))


@dataclass(frozen=True)
class Bench:
    """The photos, and the settings that all engines share."""

    requests: Sequence[ReadRequest]
    settings: WorkerSettings
    cores: int
    stack: contextlib.ExitStack

    def local(self, name: str, create: Callable[[WorkerSettings], object]) -> Engine:
        """Start a pool whose workers have a network of their own."""
        return Engine(name, self._pool(partial(create, self.settings), self.cores, 0))

    def remote(self, name: str, open_network: Callable[[], Any], *, before: bool = False) -> Engine:
        """Start a pool with a GPU process; as `before`, each of twice as many workers sends one frame and waits."""
        counts = CONTEXT.Array("Q", 2)
        process = self.stack.enter_context(GpuProcess(partial(counted, open_network, counts)))
        settings = replace(self.settings, engine=process.address)
        count = 2 * self.cores if before else self.cores
        ahead = 1 if before else decoded_ahead(process.largest, count)
        return Engine(name, self._pool(partial(create_worker, settings), count, ahead), process.largest, counts)

    def _pool(self, create: Callable[[], object], count: int, ahead: int) -> Pool:
        return self.stack.enter_context(Pool(create, count, WorkerLimits(4 << 30, 60, ahead)))


def requests_for(folder: Path, count: int) -> Iterator[ReadRequest]:
    """Write the photos, and yield a request for each."""
    for number, data in enumerate(plain(count)):
        place = RootedPath(folder, Path(f"{number:04}.jpg"))
        place.path.write_bytes(data)
        yield ReadRequest(FileSnapshot(place, FileStat.of(place.path.stat())))


def stand_ins(bench: Bench, rate: float, limit: int) -> list[Engine]:
    """Start the stand-ins, by the rate of decoding alone in photos a second."""
    full_s = limit / rate
    named = {"half as fast": 2 * full_s, "as fast": full_s, "twice as fast": full_s / 2}
    engines = [
        bench.remote(f"stand-in, {name} as decoding ({1000 * cost:.0f} ms a batch)", partial(StandIn, cost, limit))
        for name, cost in named.items()
    ]
    alike = partial(StandIn, full_s, limit)
    return [*engines, bench.remote("stand-in, as fast, one frame a worker as before", alike, before=True)]


def print_rates(engines: Sequence[Engine]) -> None:
    """Print the medians of the rates, of their shares of decoding alone, and of the batches."""
    for engine in engines:
        rate, share = statistics.median(engine.rates), statistics.median(engine.shares)
        low, high = min(engine.shares), max(engine.shares)
        batch = (
            f"  batch {statistics.median(engine.batches) / engine.limit:.2f} of {engine.limit}" if engine.limit else ""
        )
        print(
            f"{engine.name:<62} {rate:6.1f} photos/s  {share:.3f} of decoding ({low:.3f} to {high:.3f}){batch}",
            flush=True,
        )


def print_latencies(engines: Sequence[Engine]) -> None:
    """Print the median and the 95th percentile of the latencies, and the difference of the medians to the first."""
    first = statistics.median(engines[0].latencies)
    for engine in engines:
        median, high = statistics.median(engine.latencies), float(np.percentile(engine.latencies, 95))
        print(f"{engine.name:<62} {median:6.1f} ms  95 %: {high:6.1f} ms  {median - first:+.1f} ms", flush=True)


def main() -> None:
    """Measure rates and latencies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=5, help="how often each photo is read in one measurement")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--limit", type=int, default=16, help="`batch.size`")
    parser.add_argument("--no-tensorflow", action="store_true")
    args = parser.parse_args()
    if not SHARED.is_dir():
        raise SystemExit(f"needs the photographs of the shared folder beside the repository: {SHARED.name}")
    folder, card = load_model(None)
    with contextlib.ExitStack() as stack:
        photos = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        requests = list(requests_for(photos, args.photos)) * args.repeat
        settings = WorkerSettings(folder / MODEL_FILE, card.id, 10**8, 10**8, None, locate_face_networks())
        bench = Bench(requests, settings, len(os.sched_getaffinity(0)), stack)
        decoding, litert = bench.local("decoding alone", DecodingWorker), bench.local("LiteRT", create_worker)
        decoding.measure(requests)
        decoding.measure(requests)
        engines = [litert, *stand_ins(bench, decoding.rates[-1], args.limit)]
        single = [litert, bench.remote("stand-in of 27 ms", partial(StandIn, _LITERT_S, args.limit))]
        if not args.no_tensorflow:
            open_tensorflow = partial(tensorflow, folder, args.limit)
            engines += [bench.remote("TensorFlow on the CPU", open_tensorflow)]
            engines += [bench.remote("TensorFlow, one frame a worker as before", open_tensorflow, before=True)]
            single += [engines[-2]]
        for turn in range(args.turns):
            for engine in engines if turn % 2 else reversed(engines):
                engine.measure(requests)
                decoding.measure(requests)
                engine.shares.append(engine.rates[-1] / statistics.mean(decoding.rates[-2:]))
            for _ in range(20):
                for engine in single:
                    engine.measure_latency(requests[:1])
        print(f"{decoding.name:<62} {statistics.median(decoding.rates):6.1f} photos/s")
        print_rates(engines)
        print_latencies(single)


if __name__ == "__main__":
    main()
