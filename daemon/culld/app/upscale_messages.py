"""The request of `POST /upscale` to its worker process, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from culld.records import Format

MOST_PIXELS: Final = 50_000_000
"""The largest picture that is given back, width times height: its repair fits into the default of limits.memory."""
SECONDS_A_TILE: Final = 3.0
"""The processor time that a tile of the network may take, besides limits.time: five times as much as in the bench."""
MOST_TILES: Final = 300
"""More tiles than any picture of `MOST_PIXELS` has."""


class UpscaleHandler(Protocol):
    """The handler of the requests in a worker process: see `upscale_worker.UpscaleWorker`."""

    def upscale(self, request: UpscaleRequest) -> Upscaled | Refusal:
        """Repair a picture."""


@dataclass(frozen=True, slots=True)
class UpscaleSettings:
    """The folder of the network, and the limits of a picture: width times height, bytes, and limits.time in seconds."""

    model: Path
    pixels: int
    file_size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class UpscaleRequest:
    """The file of a picture, and how it is repaired.

    `strength` 0..1 blends from what came to the repair; `quality` 5..95 is the assumed quality of the file, None that
    of its tables; `scale` 1 or 2 multiplies both sides; `format` is that of the answer, None the one that came.
    """

    data: bytes
    strength: float = 1.0
    quality: int | None = None
    scale: int = 1
    format: Format | None = None

    def handle(self, handler: UpscaleHandler) -> Upscaled | Refusal:
        """Return the picture, or why there is none."""
        return handler.upscale(self)


@dataclass(frozen=True, slots=True)
class Upscaled:
    """The file of the answer; `quality` is what was assumed of the given one, `is_changed` whether it was repaired."""

    data: bytes
    format: Format
    quality: int | None
    model: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a picture is not repaired, as a clause; `is_picture` is False for bytes that no decoder takes as one."""

    reason: str
    is_picture: bool
