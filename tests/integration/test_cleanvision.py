"""CleanVision as a peer, in an interpreter of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.cleanvision import CleanVision
from culld.errors import SystemFaultError
from culld.imaging.encode import save

BENCH = Path(__file__).parents[2] / ".venv-bench" / "bin" / "python"
FRAMES = [np.zeros((24, 32, 3), np.uint8), np.full((24, 32, 3), 255, np.uint8)]


def interpreter(folder: Path, script: str) -> Path:
    """A program that is started as an interpreter would be: `-c`, the driver, the folder of pictures."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return program


def judged(program: Path) -> np.ndarray:
    """Return its scores of the two frames."""
    with CleanVision(program, save).gather() as pile:
        for number, frame in enumerate(FRAMES):
            pile.add(number, frame)
        return pile.judged(len(FRAMES))


def test_answers_come_back_in_the_order_of_the_frames(tmp_path: Path) -> None:
    """Whatever order the other side lists the files in."""
    program = interpreter(tmp_path, 'echo "{\\"$3/000001.png\\": [0, 0, 1], \\"$3/000000.png\\": [0, 1, 0]}"')

    found = judged(program)

    assert found.tolist() == [[0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [("echo No module named cleanvision >&2; exit 1", "No module named cleanvision"), ("echo hello", "no figures")],
)
def test_an_interpreter_without_it_is_a_clear_error(tmp_path: Path, script: str, complaint: str) -> None:
    """With the last line that it printed."""
    with pytest.raises(SystemFaultError, match=complaint):
        CleanVision(interpreter(tmp_path, script), save).version()


def test_no_interpreter_is_a_clear_error(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(SystemFaultError, match="nowhere"):
        CleanVision(tmp_path / "nowhere", save).version()


def test_a_frame_that_it_leaves_out_is_a_clear_error(tmp_path: Path) -> None:
    """Never a figure made up for it."""
    with pytest.raises(SystemFaultError, match="000001"):
        judged(interpreter(tmp_path, 'echo "{\\"$3/000000.png\\": [0, 1, 0]}"'))


def test_the_temporary_folder_is_removed_afterwards(tmp_path: Path) -> None:
    """Hundreds of megabytes must not stay behind."""
    with CleanVision(tmp_path, save).gather() as pile:
        pile.add(0, FRAMES[0])
        assert (pile.folder / "000000.png").exists()

    assert not pile.folder.exists()


@pytest.mark.skipif(not BENCH.exists(), reason="CleanVision is installed by `make bench` only")
def test_the_real_one_calls_black_dark_and_white_light() -> None:
    """Its own decision lies at a half."""
    black, white = judged(BENCH) >= 0.5

    assert black.tolist()[1:] == [True, False]
    assert white.tolist()[1:] == [False, True]
    assert CleanVision(BENCH, save).version() == "0.3.7"
