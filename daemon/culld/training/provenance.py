"""The provenance of a model for its card: the revision of culld, the frameworks, the kind of machine."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_FRAMEWORKS = ("tensorflow", "jax", "keras", "numpy", "pillow", "ai-edge-litert", "ai-edge-quantizer")


def provenance() -> dict[str, str]:
    """Return the current facts; none names a machine or a user. Raises ImportError without Keras' backend."""
    import keras

    backend = keras.backend.backend()
    changed = " and changes" if _git("status", "--porcelain") else ""
    return {
        "revision": (_git("log", "-1", "--format=%H") or "unknown") + changed,
        "python": platform.python_version(),
        "backend": backend,
        **_versions({"tensorflow": "jax", "jax": "tensorflow"}.get(backend)),
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores, {_gpus(backend)}",
    }


def _versions(idle: str | None) -> dict[str, str]:
    """Return the installed versions, without that of the unused backend."""
    found = {}
    for name in _FRAMEWORKS:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return {name: number for name, number in found.items() if name != idle}


def _gpus(backend: str) -> str:
    """Return the GPUs that the backend finds."""
    if backend == "jax":
        import jax

        names = [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    else:
        import tensorflow as tf

        found = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
        names = [details.get("device_name", "GPU") for details in found]
    return ", ".join(names) or "no GPU"


def _git(*words: str) -> str:
    """Return the output of git about this folder; empty without git or a repository."""
    program = shutil.which("git")
    if program is None:
        return ""
    asked = [program, "-C", str(Path(__file__).parent), *words, "--", "."]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - fixed words
