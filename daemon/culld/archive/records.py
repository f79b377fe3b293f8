"""The records that pass between the driver and the actors; they can be pickled and load no library."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

    from culld.records import RootedPath

SHARD_SIZE: Final = 256
"""The usual number of photos in one shard: about 20 s of work for an actor, and 100 KB of Parquet."""


MAX_TRIES: Final = 3
"""So many workers a photo may cost; the next one would most likely be lost as well."""


class SharpnessChoice(StrEnum):
    """The photos whose sharpness is measured in full resolution."""

    BURSTS = "bursts"
    """The frames of bursts, compared with each other, as the daemon does before it decides about them."""
    ALL = "all"
    """Each photo by itself, as `culld score` does."""
    NONE = "none"


class Status(StrEnum):
    """What a row says about its photo."""

    SCORED = "scored"
    UNREADABLE = "unreadable"
    """Its bytes cannot be decoded; it is read again only after it changed."""
    FAILED = "failed"
    """It could not be read, such as for a missing permission; the next run tries it again."""
    LOST = "lost"
    """It ended three workers, or took too long three times; it is read again only after it changed."""
    DELETED = "deleted"
    """It was not there any more at a later run."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The photos of one Parquet file: those with this `number` in the plan of a scan."""

    scan: int
    number: int
    places: tuple[RootedPath, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of rows by their status, and of workers that were lost."""

    rows: dict[Status, int] = field(default_factory=dict)
    losses: int = 0

    def __add__(self, other: Self) -> Tally:
        """Return the sums."""
        names = self.rows.keys() | other.rows.keys()
        rows = {name: self.rows.get(name, 0) + other.rows.get(name, 0) for name in names}
        return Tally(rows, self.losses + other.losses)

    @property
    def errors(self) -> int:
        """The number of photos without scores that are there."""
        return sum(self.rows.get(status, 0) for status in (Status.UNREADABLE, Status.FAILED, Status.LOST))

    @property
    def photos(self) -> int:
        """The number of rows of photos that are there."""
        return self.errors + self.rows.get(Status.SCORED, 0)


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """The photos to score, the folder of the archive, the number of processors for actors, and the size of a shard.

    Without `workers` they are those of the configuration, on a cluster all. `sharpness` names the photos whose
    sharpness is measured in full resolution. `address` is that of a Ray cluster; empty: Ray runs on this machine.
    """

    uris: tuple[str, ...]
    out: Path
    workers: int | None = None
    shard_size: int = SHARD_SIZE
    sharpness: SharpnessChoice = SharpnessChoice.BURSTS
    address: str = ""
