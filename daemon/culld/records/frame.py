"""The size of the frame that the network takes; decoding, networks and training use it."""

from __future__ import annotations

from typing import Final

WIDTH: Final = 512
HEIGHT: Final = 384
"""In pixels; a portrait photo is rotated by 90 degrees to fit."""
