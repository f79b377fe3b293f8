"""The seam for explanations: what a worker of the page asks for the maps of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from culld.records import RootedPath


@dataclass(frozen=True, slots=True)
class Heat:
    """Where the network sees a defect: an 8-bit grey PNG, upright, and the logit and probability of the defect."""

    png: bytes
    logit: float
    probability: float


class HeatMaker(Protocol):
    """Explains the defects of photos in a worker process; made there once by a function that can be pickled."""

    def heat(self, place: RootedPath, head: str) -> Heat:
        """Return the map of a defect of the photo at a path; raises PhotoError if it cannot be explained."""
