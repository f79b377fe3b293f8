"""What a model was made with, for its card: the recipe's revision, the frameworks, the kind of machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

_FRAMEWORKS = ("tensorflow", "keras", "numpy", "pillow", "ai-edge-litert")


def making() -> dict[str, str]:
    """The facts of this moment; nothing that names a machine or a person. Raises ImportError without TensorFlow."""
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU")) or "no"
    changed = " and changes" if _git("status", "--porcelain") else ""
    return {
        "revision": (_git("log", "-1", "--format=%H") or "unknown") + changed,
        "python": platform.python_version(),
        **{name: version(name) for name in _FRAMEWORKS},
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores, {gpus} GPU",
    }


def _git(*words: str) -> str:
    """What git says of this folder; empty where there is no git or no repository."""
    program = shutil.which("git")
    if program is None:
        return ""
    asked = [program, "-C", str(Path(__file__).parent), *words, "--", "."]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - fixed words
