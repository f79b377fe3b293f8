"""The size of the frame at which photos are judged: the one place for it, used by decoding, networks and training."""

from __future__ import annotations

from typing import Final

WIDTH: Final = 512
HEIGHT: Final = 384
"""In pixels; a portrait is laid on its long side."""
