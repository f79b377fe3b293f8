"""The parts of the bench that run with the peers' Python: CleanVision, OpenCV, and the JPEG decoders to choose from.

Each prints one JSON object; imports are not counted.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np

_COVER = (768, 576)
"""The least size that culld decodes to, as `photos/imaging.py` has it."""


def cleanvision(folder: str, jobs: str) -> dict[str, Any]:
    """Run CleanVision's checks for blur, dark and light."""
    from cleanvision import Imagelab  # noqa: PLC0415

    start = time.perf_counter()
    lab = Imagelab(data_path=folder, verbose=False)
    lab.find_issues({"blurry": {}, "dark": {}, "light": {}}, n_jobs=int(jobs), verbose=False)
    return {"seconds": time.perf_counter() - start, "photos": len(lab.issues)}


def laplacian(folder: str, jobs: str) -> dict[str, Any]:
    """OpenCV's usual blur test: read, shrink to 2 megapixels, variance of the Laplacian."""
    return _spread(_laplacian, folder, jobs)


def phash(folder: str, jobs: str) -> dict[str, Any]:
    """Imagededup's default: read, grey, a perceptual hash; by OpenCV, since imagededup brings PyTorch."""
    return _spread(_phash, folder, jobs)


def _spread(work: Callable[[str], Any], folder: str, jobs: str) -> dict[str, Any]:
    files = sorted(map(str, Path(folder).iterdir()))
    with Pool(int(jobs), _alone) as pool:
        pool.map(work, files[:2])
        start = time.perf_counter()
        pool.map(work, files, chunksize=1)
        return {"seconds": time.perf_counter() - start, "photos": len(files)}


def _alone() -> None:
    import cv2

    cv2.setNumThreads(1)


def _laplacian(file: str) -> float:
    import cv2

    image = cv2.imread(file)
    scale = (2_000_000 / (image.shape[0] * image.shape[1])) ** 0.5
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())


def _phash(file: str) -> bytes:
    import cv2

    grey = cv2.resize(cv2.cvtColor(cv2.imread(file), cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey.astype(np.float32))[:8, :8]
    return np.packbits(low > np.median(low)).tobytes()


def decoders(folder: str) -> dict[str, float]:
    """Milliseconds a photo for each JPEG library at its own smallest scale that covers what culld needs."""
    import cv2
    import simplejpeg  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    cv2.setNumThreads(1)

    def pillow(data: bytes) -> None:
        image = Image.open(io.BytesIO(data))
        image.draft("RGB", _COVER)
        image.load()

    ways: dict[str, Callable[[bytes], Any]] = {
        "Pillow, reduced (culld's)": pillow,
        "simplejpeg, reduced": lambda data: simplejpeg.decode_jpeg(
            data, "RGB", min_width=_COVER[0], min_height=_COVER[1]
        ),
        "OpenCV, reduced": lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_2),
        "Pillow, in full": lambda data: Image.open(io.BytesIO(data)).load(),
    }
    files = [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for data in files:
        for way, decode in ways.items():
            start = time.perf_counter()
            decode(data)
            taken[way].append(1000 * (time.perf_counter() - start))
    return {way: statistics.median(times) for way, times in taken.items()}


PROGRAMS: dict[str, Callable[..., dict[str, Any]]] = {
    each.__name__: each for each in (cleanvision, laplacian, phash, decoders)
}

if __name__ == "__main__":
    print(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])))
