"""The oldest OpenCV that is supported aligns as the locked one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLDEST = ROOT / ".venv-opencv-4"


@pytest.mark.slow
@pytest.mark.timeout(900)  # two test files in one test
def test_photos_are_aligned_and_measured_with_opencv_4_as_well() -> None:
    """The tests of alignment and quality, in a process that imports OpenCV 4.10."""
    if not (OLDEST / ".done").exists():
        pytest.skip("needs OpenCV 4.10: run `make .venv-opencv-4/.done`")
    environment = {**os.environ, "PYTHONPATH": str(OLDEST)}
    version = [sys.executable, "-c", "import cv2; print(cv2.__version__)"]
    printed = subprocess.run(version, env=environment, capture_output=True, text=True, check=True)
    assert printed.stdout.startswith("4.10.")

    tests = [f"tests/unit/test_{name}.py" for name in ("align", "quality")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
