"""Files whose whole path is longer than the kernel takes (PATH_MAX of limits.h): made and removed step by step."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def deep_file(root: Path, relative: Path, data: bytes) -> Iterator[None]:
    """A file below `root`, with its folders; the first folder of them is removed at the end of the block."""
    current = os.open(root, os.O_RDONLY)
    try:
        for part in relative.parent.parts:
            os.mkdir(part, dir_fd=current)
            below = os.open(part, os.O_RDONLY, dir_fd=current)
            os.close(current)
            current = below
        descriptor = os.open(relative.name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=current)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        yield
    finally:
        os.close(current)
        shutil.rmtree(root / relative.parts[0])  # which works on open folders
