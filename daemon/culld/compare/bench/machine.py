"""The machine of the bench: its processor, and the versions of what computes there."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from culld.compare.bench.results import Machine

_PACKAGES = ("numpy", "pillow", "opencv-python-headless", "ai-edge-litert")
_CPU_FACTS = Path("/proc/cpuinfo")


def this_machine() -> Machine:
    """Return the facts about this machine; none names it or a user."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return Machine(processor(_facts()), len(os.sched_getaffinity(0)), found)


def processor(facts: str) -> str:
    """Return the name of the processor in the text of /proc/cpuinfo, else the name of its architecture."""
    named = re.search(r"^model name\s*:\s*(\S.*?)\s*$", facts, re.MULTILINE)
    return named[1] if named else platform.machine()


def _facts() -> str:
    try:
        return _CPU_FACTS.read_text("utf-8", "replace")
    except OSError:
        return ""
