"""The parts of the bench that run with culld's own Python: photos, floor, stages, parity, EfficientNetB0, scale.

Each prints one JSON object; `run.py` calls them as processes of their own, in turn with the others.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared"
MODEL = HERE.parents[1] / "models" / "defects"
SIZES = {"6": (3072, 2048), "12": (4240, 2832), "24": (6000, 4000), "50": (8688, 5792)}
"""Megapixels, and the width and height of such a photo."""
KINDS = 40
"""So many different pictures; the others are copies with a comment of their own."""
BLURRED = 4
"""Every fourth photo is out of focus, so that the policy rejects it."""

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "fault")]


def make(folder: str) -> dict[str, Any]:
    """Make a photo of each kind and size: from camera files where they are available, else drawn."""
    from pillow_heif import register_heif_opener  # noqa: PLC0415

    register_heif_opener()
    target = Path(folder)
    scenes = _scenes()
    for megapixels, size in SIZES.items():
        for number in range(KINDS if megapixels == "6" else 4):
            picture = _photo(scenes, number, size)
            _save(picture, target / f"{megapixels} MP JPEG" / f"{number:02}.jpg", quality=92)
            if megapixels == "12":
                _save(picture, target / "12 MP PNG" / f"{number:02}.png", compress_level=1)
                _save(picture, target / "12 MP HEIC" / f"{number:02}.heic", quality=80)
    return {"real": bool(_cameras())}


def _cameras() -> list[Path]:
    return sorted((SHARED / "camera" / "dresden").glob("*.JPG"))


def _scenes() -> list[Image.Image]:
    if cameras := _cameras():
        return [Image.open(path).convert("RGB") for path in cameras]
    dice = np.random.default_rng(7)
    drawn = []
    for _ in range(8):
        tiles = Image.fromarray(dice.integers(0, 255, (48, 72, 3), np.uint8)).resize(
            (3008, 2000), Image.Resampling.BICUBIC
        )
        grain = np.asarray(tiles, np.float32) * 0.8 + 20 + dice.normal(0, 4, (2000, 3008, 1))
        drawn.append(Image.fromarray(grain.clip(0, 255).astype(np.uint8)))
    return drawn


def _photo(scenes: list[Image.Image], number: int, size: tuple[int, int]) -> Image.Image:
    scene = scenes[number % len(scenes)]
    if scene.height > scene.width:
        scene = scene.transpose(Image.Transpose.ROTATE_90)
    width = scene.width - 8 * (number // len(scenes))  # no two cuts of a scene are the same
    height = min(scene.height, width * size[1] // size[0])
    picture = scene.crop((0, 0, width, height)).resize(size, Image.Resampling.LANCZOS)
    return picture.filter(ImageFilter.GaussianBlur(size[0] / 128)) if number % BLURRED == 0 else picture


def _save(picture: Image.Image, path: Path, **how: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **how)


def floor(folder: str, workers: str) -> dict[str, Any]:
    """Measure the reduced decode and the bare LiteRT interpreter on some cores; loading is not counted."""
    files = sorted(map(str, Path(folder).iterdir()))
    context = multiprocessing.get_context("spawn")
    tasks, told = context.Queue(), context.Queue()
    processes = [context.Process(target=_judge, args=(tasks, told)) for _ in range(int(workers))]
    for process in processes:
        process.start()
    for _ in processes:
        told.get()
    start = time.perf_counter()
    for file in (*files, *(None for _ in processes)):
        tasks.put(file)
    for _ in processes:
        told.get()
    seconds = time.perf_counter() - start
    for process in processes:
        process.join()
    return {"seconds": seconds, "photos": len(files)}


def _judge(tasks: Any, told: Any) -> None:
    from culld.imaging.decode import decode  # noqa: PLC0415
    from culld.imaging.formats import HEAD_BYTES, recognise  # noqa: PLC0415
    from culld.imaging.image_file import DecodeLimits  # noqa: PLC0415
    from culld.inference.litert import silence_stderr  # noqa: PLC0415
    from culld.inference.worker_process import tune_malloc  # noqa: PLC0415
    from culld.stages.read.scoring import open_litert, score  # noqa: PLC0415

    tune_malloc()  # the same setting as in the workers
    with silence_stderr():
        network = open_litert(MODEL / "model.tflite")
    told.put("ready")
    while (file := tasks.get()) is not None:
        with Path(file).open("rb") as stream:
            format_ = recognise(stream.read(HEAD_BYTES), file)
            stream.seek(0)
            score(network, decode(stream, format_, DecodeLimits()))
    told.put("done")


def stages(folder: str) -> dict[str, float]:
    """Measure each stage of a worker in ms of one core: medians over the photos of a folder."""
    import hashlib  # noqa: PLC0415

    from culld.imaging.decode import to_network_frame  # noqa: PLC0415
    from culld.imaging.image_file import DecodeLimits, embedded_exif  # noqa: PLC0415
    from culld.inference.litert import silence_stderr  # noqa: PLC0415
    from culld.records import Format  # noqa: PLC0415
    from culld.stages.read.assess import dhash_of  # noqa: PLC0415
    from culld.stages.read.exif_facts import camera_facts  # noqa: PLC0415
    from culld.stages.read.scoring import open_litert, score  # noqa: PLC0415

    with silence_stderr():
        network = open_litert(MODEL / "model.tflite")
    limits = DecodeLimits()
    taken: dict[str, list[float]] = {}

    def timed(stage: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        taken.setdefault(stage, []).append(1000 * (time.perf_counter() - start))
        return result

    for path in sorted(Path(folder).iterdir()):
        data = timed("read the file", path.read_bytes)
        timed("digest (SHA-256)", lambda data=data: hashlib.sha256(data).hexdigest())
        timed(
            "camera facts",
            lambda data=data: camera_facts(embedded_exif(io.BytesIO(data), Format.JPEG, limits)),
        )
        image = timed("decode, reduced", lambda data=data: _decoded(data))
        pixels = timed("fit into the frame", lambda image=image: to_network_frame(image))
        timed("network", lambda pixels=pixels: score(network, pixels))
        timed("likeness", lambda pixels=pixels: dhash_of(pixels))
    return {stage: statistics.median(times) for stage, times in taken.items()}


def _decoded(data: bytes) -> Image.Image:
    from culld.imaging.decode import OVERSAMPLING  # noqa: PLC0415
    from culld.records.frame import HEIGHT, WIDTH  # noqa: PLC0415

    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (round(OVERSAMPLING * WIDTH), round(OVERSAMPLING * HEIGHT)))
    image.load()
    return image


def parity(folder: str) -> dict[str, Any]:
    """Measure how much the scores of camera files change when they are decoded at reduced scale instead of in full."""
    from culld.imaging.decode import decode, to_network_frame  # noqa: PLC0415
    from culld.imaging.formats import HEAD_BYTES, recognise  # noqa: PLC0415
    from culld.imaging.image_file import DecodeLimits  # noqa: PLC0415
    from culld.inference.litert import silence_stderr  # noqa: PLC0415
    from culld.records import NETWORK_DEFECTS, Format  # noqa: PLC0415
    from culld.stages.read.scoring import open_litert, score  # noqa: PLC0415

    with silence_stderr():
        network = open_litert(MODEL / "model.tflite")
    moved = []
    for path in sorted(Path(folder).rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        if recognise(data[:HEAD_BYTES], path.name) is Format.JPEG:
            reduced = score(network, decode(io.BytesIO(data), Format.JPEG, DecodeLimits()))
            full = score(network, to_network_frame(Image.open(io.BytesIO(data))))
            moved.append(max(abs(reduced.of(defect) - full.of(defect)) for defect in NETWORK_DEFECTS))
    return {"photos": len(moved), "largest": max(moved, default=None)}


def precision(folder: str) -> dict[str, Any]:
    """Measure how much half precision changes probabilities and verdicts."""
    import precision as half  # noqa: PLC0415 (needs TensorFlow)

    moved = half.measure(Path(folder), 100)
    return {"frames": moved.frames, "largest": moved.largest, "verdicts": moved.verdicts}


def efficientnet(folder: str) -> dict[str, Any]:
    """Measure EfficientNetB0 at 384x512 in TensorFlow, after culld's decode; imports are not counted."""
    import keras

    from culld.imaging.decode import decode  # noqa: PLC0415
    from culld.imaging.image_file import DecodeLimits  # noqa: PLC0415
    from culld.records import Format  # noqa: PLC0415

    network = keras.applications.EfficientNetB0(
        include_top=False, weights=None, pooling="avg", input_shape=(384, 512, 3)
    )
    network.predict(np.zeros((8, 384, 512, 3), np.float32), verbose=0)
    files = sorted(Path(folder).iterdir())
    start = time.perf_counter()
    for begin in range(0, len(files), 8):
        frames = []
        for file in files[begin : begin + 8]:
            with file.open("rb") as stream:
                frames.append(decode(stream, Format.JPEG, DecodeLimits()))
        network.predict(np.stack(frames).astype(np.float32), verbose=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - start, "photos": len(files), "peak": peak}


def scale(count: str, folders: str) -> dict[str, Any]:
    """Measure the daemon on many small photos with a pool that answers at once: the cost of all but the network."""
    from drops import POLICY, Flood, drop  # noqa: PLC0415

    photos = int(count)
    policy = POLICY.replace("RESCAN", "1h").replace("batch: {size: 256}\n", "")
    with tempfile.TemporaryDirectory(prefix="culld-bench-") as path:
        house = Flood(Path(path)).build(policy.replace("{mode: enforce,", "{mode: enforce, brake: {max_share: never},"))
        made = Path(path) / "drop"
        made.mkdir()
        drop(made, photos, int(folders))
        with house.serving() as process:
            house.wait(house.journal.exists, 20)
            time.sleep(1)
            begin = time.monotonic()
            made.rename(house.inbox / "drop")
            peak, before = 0.0, _cpu(process.pid)
            while house.decided < photos and time.monotonic() < begin + 500:
                time.sleep(0.2)
                peak = max(peak, _unique(process.pid))
            seconds, cpu = time.monotonic() - begin, _cpu(process.pid) - before
        found = {"photos": house.decided, "folders": int(folders), "seconds": seconds, "cpu": cpu, "peak": peak}
        return found | ({"rescan": _rescan(house)} if photos >= 100_000 else {})


def _rescan(house: Any) -> float:
    """Return the median of three of the time in s of a warm scan of all files, none of which is new."""
    from culld.clock import SystemClock  # noqa: PLC0415
    from culld.imaging.formats import supported_extensions  # noqa: PLC0415
    from culld.journal.store import SqliteJournal  # noqa: PLC0415
    from culld.stages.watch.scanner import Scanner  # noqa: PLC0415

    taken = []
    with SqliteJournal.open_readonly(house.journal, SystemClock()) as journal:
        for _ in range(3):
            start = time.perf_counter()
            new = sum(1 for _ in journal.unknown(Scanner(supported_extensions()).scan(house.inbox)))
            taken.append(time.perf_counter() - start)
    if new:
        raise SystemExit(f"{new} files were taken for new ones")
    return statistics.median(taken)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _unique(pid: int) -> float:
    """Return the private memory of this process in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


PROGRAMS: dict[str, Callable[..., dict[str, Any]]] = {
    each.__name__: each for each in (make, floor, stages, parity, precision, efficientnet, scale)
}

if __name__ == "__main__":
    print(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])))
