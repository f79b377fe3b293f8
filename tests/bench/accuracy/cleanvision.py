"""CleanVision as a contender, run in its own interpreter, as its licence (AGPL) keeps it out of culld's process.

It judges files, so the frames are saved as PNG in a temporary folder and named by number.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from culld.errors import SystemFaultError

Save = Callable[[NDArray[np.uint8], Path], None]

NAME = "CleanVision"
_ISSUES = ("blurry", "dark", "light")
# Its scores are low for bad pictures, and a picture is an issue below its default threshold. Both are mapped so that
# its own decision lies exactly at 0.5.
_DRIVER = f"""
import contextlib, io, json, sys
from cleanvision import Imagelab
names = {_ISSUES}
with contextlib.redirect_stdout(io.StringIO()):
    lab = Imagelab(data_path=sys.argv[1])
    lab.find_issues({{name: {{}} for name in names}}, n_jobs=1, verbose=False)
rows = {{}}
for path, row in lab.issues.iterrows():
    found = []
    for name in names:
        score, bad = float(row[name + "_score"]), bool(row["is_" + name + "_issue"])
        found.append(1 - score / 2 if bad else (1 - score) / 2)
    rows[path] = found
json.dump(rows, sys.stdout)
"""
_VERSION = """
import json, sys
from importlib.metadata import version
import cleanvision
json.dump(version("cleanvision"), sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class CleanVision:
    """CleanVision in this interpreter; `save` writes a frame as PNG."""

    python: Path
    save: Save

    def version(self) -> str:
        """Return its version; raises `SystemFaultError` if it cannot be run."""
        return str(self._ask(_VERSION))

    @contextlib.contextmanager
    def gather(self) -> Iterator[CleanVisionBatch]:
        """Give a batch of frames that are scored together; its files are removed afterwards."""
        with TemporaryDirectory(prefix="culld-peers-", ignore_cleanup_errors=True) as folder:
            yield CleanVisionBatch(self, Path(folder))

    def judge(self, folder: Path) -> dict[str, list[float]]:
        """Return one row (blur, under, over) for each file in a folder; 0.5 and more is an issue by its defaults."""
        found: dict[str, list[float]] = self._ask(_DRIVER, str(folder))
        return found

    def _ask(self, *words: str) -> Any:
        try:
            answer = subprocess.run([str(self.python), "-c", *words], capture_output=True, text=True, check=True)
            return json.loads(answer.stdout)
        except OSError as error:
            raise SystemFaultError(f"{self.python} cannot be started: {error.strerror}") from error
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip().splitlines() or ["no message"])[-1]
            raise SystemFaultError(f"CleanVision failed in {self.python}: {last}") from error
        except ValueError as error:
            raise SystemFaultError(f"CleanVision in {self.python} gave no figures: {error}") from error


@dataclass(frozen=True, slots=True)
class CleanVisionBatch:
    """Frames that wait to be scored as files in `folder`, by number."""

    peer: CleanVision
    folder: Path

    def add(self, number: int, frame: NDArray[np.uint8]) -> None:
        """Add a frame; from any thread."""
        self.peer.save(frame, self.folder / f"{number:06}.png")

    def judged(self, count: int) -> NDArray[np.float32]:
        """Return the scores (count, 3) of the frames 0 to count - 1; raises `SystemFaultError` if one has none."""
        rows = {Path(name).stem: row for name, row in self.peer.judge(self.folder).items()}
        try:
            return np.array([rows[f"{number:06}"] for number in range(count)], np.float32).reshape(count, 3)
        except KeyError as error:
            raise SystemFaultError(f"CleanVision gave no scores for frame {error}") from error
