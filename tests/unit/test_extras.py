"""The extras of the package: those that texts name exist, and what is missing is named before an hour of training."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from culld.cli import exit_codes

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
WITHOUT = """
import sys
sys.modules[{missing!r}] = None
from culld.cli import main
sys.exit(main(["model", "train", "--photos", "."]))
"""


def test_every_extra_that_a_text_names_exists() -> None:
    """In messages, documentation and the example configuration."""
    files = [ROOT / "README.md", ROOT / "config.example.yaml", *(ROOT / "docs").glob("*.md")]
    files += (ROOT / "daemon").rglob("*.py")
    pattern = re.compile(r"(?:culld|\.)\[([a-z]+)\]|extra `([a-z]+)`")
    named = {first or second for file in files for first, second in pattern.findall(file.read_text())}

    assert {"gpu", "train", "jxl"} <= named <= EXTRAS.keys()


def test_the_gpu_needs_tensorflow_alone_and_training_needs_more() -> None:
    """Both the same TensorFlow."""
    assert EXTRAS["gpu"] == [name for name in EXTRAS["train"] if name.startswith("tensorflow")]
    assert len(EXTRAS["train"]) > len(EXTRAS["gpu"]) == 1


@pytest.mark.parametrize("missing", ["matplotlib", "ai_edge_quantizer", "tensorflow"])
def test_training_without_its_extra_is_refused_at_once(missing: str) -> None:
    """The extra of the GPU is not enough; the message names the library and the command that brings it."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing=missing)], capture_output=True, text=True, check=False
    )

    assert done.returncode == exit_codes.SYSTEM_FAULT
    assert f"training needs {missing}: run `pip install 'culld[train]'`" in done.stderr
