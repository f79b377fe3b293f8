"""Standard streams that are open, take every character, and report what could not be written."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def open_standard_streams() -> None:
    """Open each closed standard stream on the null device, and let the others escape what their encoding lacks.

    A program that starts with a closed descriptor 0, 1 or 2 gives that number to the next file that it opens: a
    worker's pipe then takes the place of standard error. Not every encoding has a form for every name.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # open takes the lowest number, which is this one
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
