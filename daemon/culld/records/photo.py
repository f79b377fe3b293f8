"""A file, a photo, its scores and user metadata, and the stack of files of one shot."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from culld.records.camera import Camera
from culld.records.enums import Defect

if TYPE_CHECKING:
    import os
    from datetime import timedelta
    from pathlib import Path

    from culld.records.enums import Format, RejectFlag, SeriesKind


@dataclass(frozen=True, slots=True)
class RootedPath:
    """Where a file is: a configured root folder and the path below it."""

    root: Path
    relative: Path

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.root / self.relative

    def beside(self, name: str) -> RootedPath:
        """Return the path of the file `name` in the same folder."""
        return RootedPath(self.root, self.relative.with_name(name))


@dataclass(frozen=True, slots=True)
class FileStat:
    """The identity fields of lstat(2): if two stamps of a file are equal, no program wrote to it in between."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, stat: os.stat_result) -> FileStat:
        """Return the stamp of a stat result."""
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """A file at the time of a scan: its path and its stamp."""

    place: RootedPath
    stamp: FileStat


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A file that failed in a stage, the reason, and the wait before the next try; unless `steady`, the waits grow.

    After `tries` failures the file is not read again until it changes; None means no limit.
    """

    snapshot: FileSnapshot
    reason: str
    retry_after: timedelta
    steady: bool = False
    tries: int | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """A complete file that is ready to be judged; `digest` is the SHA-256 of its bytes in hex."""

    place: RootedPath
    stamp: FileStat
    digest: str
    format: Format
    camera: Camera = field(default_factory=Camera)


@dataclass(frozen=True, slots=True)
class Scores:
    """The calibrated probability of each defect of a photo, 0..1."""

    blur: float
    under: float
    over: float

    def of(self, defect: Defect) -> float:
        """Return the probability of one defect."""
        return {Defect.BLUR: self.blur, Defect.UNDER: self.under, Defect.OVER: self.over}[defect]

    def __str__(self) -> str:
        return "  ".join(f"{defect} {_truncated(self.of(defect))}" for defect in Defect)


def _truncated(probability: float) -> str:
    """Format with two decimals, truncated: 0.969 must not be shown as 0.97, a threshold that it did not reach."""
    if not 0 <= probability <= 1:  # NaN or another value that is not a probability
        return f"{probability:g}"
    return f"{math.floor(100 * probability) / 100:.2f}"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The reason why a photo could not be decoded; such a photo is never moved."""

    reason: str


@dataclass(frozen=True, slots=True)
class DHash:
    """A difference hash of a photo: `rows` and `columns` have SIDE x SIDE bits each.

    A bit is set where the photo gets brighter to the right (`rows`) or downwards (`columns`). Raises ValueError for a
    number with more bits.
    """

    SIDE: ClassVar[int] = 16

    rows: int
    columns: int

    def __post_init__(self) -> None:
        """Check that both numbers fit into SIDE x SIDE bits."""
        if not all(0 <= bits < 1 << self.SIDE**2 for bits in (self.rows, self.columns)):
            raise ValueError(f"a difference hash has {self.SIDE**2} bits in each direction")

    def distance(self, other: DHash, right: int = 0, down: int = 0) -> float:
        """Return the share of bits, 0..1, that differ where both photos overlap.

        `right` and `down` shift the other photo, in bits; negative numbers shift it to the left and up.
        """
        mine = max(0, -right) + self.SIDE * max(0, -down)
        its = max(0, right) + self.SIDE * max(0, down)
        width, height = self.SIDE - abs(right), self.SIDE - abs(down)
        overlap = _overlap(self.SIDE, width, height)
        differing = ((self.rows >> mine ^ other.rows >> its) & overlap).bit_count() + (
            (self.columns >> mine ^ other.columns >> its) & overlap
        ).bit_count()
        return differing / (2 * width * height)


@cache
def _overlap(side: int, width: int, height: int) -> int:
    """Return the bits of the lower right part of a hash."""
    return sum(((1 << width) - 1) << (side * row) for row in range(height))


@dataclass(frozen=True, slots=True)
class Rating:
    """The stars of a photo in one field, 0.5 to 5; `source` names the field and its value."""

    source: str
    stars: float

    @classmethod
    def of_percent(cls, source: str, percent: float) -> Rating:
        """Return the rating of a percent field; Windows writes 1, 25, 50, 75 and 99 for one to five stars."""
        return cls(source, max(1.0, min(5.0, 1 + (percent + 12) // 25)))


@dataclass(frozen=True, slots=True)
class UserMetadata:
    """Ratings, labels, flags and edits of a photo that the user made in photo programs.

    `stars` are the ratings; `ratings` names labels and flags; `filled_flags` are the reject flags whose property has a
    value; `edited_by` names the programs that hold edits. `ratings_outside` are files of photo
    programs in subfolders that belong to the photo, as paths below its folder. `unclear` is the reason why some of this
    cannot be read; `incomplete` names the missing part of a photo of the shot.
    """

    ratings: tuple[str, ...] = ()
    filled_flags: frozenset[RejectFlag] = frozenset()
    edited_by: tuple[str, ...] = ()
    unclear: str = ""
    stars: tuple[Rating, ...] = ()
    ratings_outside: tuple[str, ...] = ()
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class UserMetadataSources:
    """The user metadata of one photo by source: `own` from the photo and from files that are not XMP.

    `sidecars` holds the XMP sidecars beside the photo at the time of reading, each with its user metadata.
    """

    own: UserMetadata
    sidecars: tuple[tuple[RootedPath, UserMetadata], ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """A photo with its scores; `model` identifies the network.

    `missing_part` names the part of the file that is missing although the photo can be decoded; empty if none is.
    `user_metadata` is None if it was not read together with the photo.
    """

    photo: Photo
    result: Scores | Unreadable
    model: str
    dhash: DHash | None = None
    missing_part: str = ""
    user_metadata: UserMetadataSources | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The shots of one bracket, focus stack, panorama or burst, in the order of time."""

    kind: SeriesKind
    members: tuple[Assessment, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """A photo and the files that belong to it.

    - `sidecars` move with the photo.
    - `editor_sidecars` are the files in which other programs store edits of the shot.
    - `siblings` are the other photos of the same shot (the JPEG of a RAW): all of them move, or none.
    - `blocking_files` are files of the same shot that culld cannot score (a movie, a RAW that cannot be read): a photo
      that has any is tagged, and never moved away from them.
    - `sibling_sidecars` are the sidecars of the siblings, such as `a.xmp` of a RAW: their user metadata counts for each
      photo of the shot.
    """

    primary: Assessment
    sidecars: tuple[RootedPath, ...] = ()
    blocking_files: tuple[RootedPath, ...] = ()
    siblings: tuple[Assessment, ...] = ()
    editor_sidecars: tuple[RootedPath, ...] = ()
    user_metadata: UserMetadata = UserMetadata()
    series: Series | None = None
    sibling_sidecars: tuple[RootedPath, ...] = ()

    @property
    def members(self) -> tuple[Assessment, ...]:
        """All photos of the shot, the primary one first."""
        return (self.primary, *self.siblings)
