"""A photo, its scores, and the stack of files of one shot."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from culld.records.camera import Camera
from culld.records.enums import NETWORK_DEFECTS, Defect
from culld.records.user_metadata import UserMetadata

if TYPE_CHECKING:
    from culld.records.clips import ClipJudgement
    from culld.records.enums import Format, SeriesKind
    from culld.records.files import FileStat, RootedPath
    from culld.records.regions import Regions
    from culld.records.subject import Subject
    from culld.records.user_metadata import UserMetadataSources


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
    """The calibrated probability of each defect of a photo, 0..1.

    `focus` is that of missed focus; None if the photo has no face on which it can be measured.
    """

    blur: float
    under: float
    over: float
    focus: float | None = None

    def of(self, defect: Defect) -> float:
        """Return the probability of one defect; 0 for a defect without one."""
        known = {Defect.BLUR: self.blur, Defect.UNDER: self.under, Defect.OVER: self.over, Defect.FOCUS: self.focus}
        return known[defect] or 0.0

    @property
    def known(self) -> tuple[Defect, ...]:
        """The defects that have a probability."""
        return NETWORK_DEFECTS if self.focus is None else tuple(Defect)

    def __str__(self) -> str:
        return "  ".join(f"{defect} {_truncated(self.of(defect))}" for defect in self.known)


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
class Assessment:
    """A photo with its scores; `model` identifies the network.

    `missing_part` names the part of the file that is missing although the photo can be decoded; empty if none is.
    `user_metadata` is None if it was not read together with the photo, `subject` if it was not looked for. `full_size`
    is the (width, height) of the photo in pixels as it is stored, before it is turned upright; None if it is not known.
    `regions` is None if no rule needed them.

    The photo may be a clip: `result` holds the shares of its time with each defect, and `clip` what was judged of it,
    without the samples. `is_live_movie`: it is the movie of a Live Photo, which is not judged, and whose scores are 0.
    """

    photo: Photo
    result: Scores | Unreadable
    model: str
    dhash: DHash | None = None
    missing_part: str = ""
    user_metadata: UserMetadataSources | None = None
    subject: Subject | None = None
    full_size: tuple[int, int] | None = None
    clip: ClipJudgement | None = None
    is_live_movie: bool = False
    regions: Regions | None = None

    @property
    def longest(self) -> int | None:
        """The longer side of the photo in pixels; None if it is not known."""
        return None if self.full_size is None else max(self.full_size)


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
    - `series_ev` is by how many EV the photo shows less light (below 0) than its neighbours in time, for its settings;
      None if that is not known.
    """

    primary: Assessment
    sidecars: tuple[RootedPath, ...] = ()
    blocking_files: tuple[RootedPath, ...] = ()
    siblings: tuple[Assessment, ...] = ()
    editor_sidecars: tuple[RootedPath, ...] = ()
    user_metadata: UserMetadata = field(default_factory=UserMetadata)
    series: Series | None = None
    sibling_sidecars: tuple[RootedPath, ...] = ()
    series_ev: float | None = None

    @property
    def members(self) -> tuple[Assessment, ...]:
        """All photos of the shot, the primary one first."""
        return (self.primary, *self.siblings)
