"""The frozen records that cross the borders between rooms; their names tell how far a photo has come.

`Sighting -> Photo -> Assessment -> Stack -> Plan -> Outcome`. Paths are ordinary `Path` objects that carry any bytes a
file name may hold (Python's surrogateescape): use `os.fsencode` where bytes are stored, never print them raw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import os
    from datetime import datetime, timedelta
    from pathlib import Path

    from culld.expression import Expression


def printable(path: Path) -> str:
    """A path as text that is safe to print and log: bytes that are no text, and control characters, are escaped."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class Defect(StrEnum):
    """The three technical defects that culld looks for, in the order of the network's outputs."""

    BLUR = "blur"
    UNDER = "under"
    OVER = "over"


class Verdict(StrEnum):
    """What the policy does with a photo."""

    KEEP = "keep"
    TAG = "tag"
    QUARANTINE = "quarantine"
    UNREADABLE = "unreadable"


class Action(StrEnum):
    """What a named rule of the policy does with a photo of which it holds."""

    KEEP = "keep"
    TAG = "tag"
    QUARANTINE = "quarantine"


class Stacking(StrEnum):
    """By which of its pictures a shot is judged that has several, such as a RAW with its JPEG."""

    BEST = "best"
    WORST = "worst"
    RAW = "raw"


class SeriesKind(StrEnum):
    """Why shots belong together that were taken one after the other."""

    BRACKET = "bracket"
    FOCUS_STACK = "focus stack"
    PANORAMA = "panorama"
    BURST = "burst"


class Mark(StrEnum):
    """A sign of rejection that photo programs know, beside the keywords."""

    RATING = "rating"
    PICK = "pick"
    DIGIKAM = "digikam"
    LABEL = "label"


class SidecarStyle(StrEnum):
    """How a new sidecar is called: `a.jpg.xmp` (darktable, digiKam, Immich) or `a.xmp` (Adobe)."""

    FULL = "full"
    ADOBE = "adobe"


class Mode(StrEnum):
    """Whether the policy may move photos (`enforce`) or only tags them (`observe`)."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Format(StrEnum):
    """The container of a photo, told from its first bytes; only most RAW files need their name to be told from TIFF."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    TIFF = "tiff"
    HEIF = "heif"
    AVIF = "avif"
    JXL = "jxl"
    RAW = "raw"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is: a configured root folder and the path below it."""

    root: Path
    relative: Path

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.root / self.relative

    def beside(self, name: str) -> Place:
        """The place called `name` in the same folder."""
        return Place(self.root, self.relative.with_name(name))


@dataclass(frozen=True, slots=True)
class Stamp:
    """What `lstat` says of a file; two equal stamps mean that nobody wrote to it in between."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Stamp:
        """Take the stamp out of a stat result."""
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file that the scanner saw, with its stamp at that moment."""

    place: Place
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Exposure:
    """The camera settings of a shot, each None when the file does not say."""

    seconds: float | None = None
    aperture: float | None = None
    iso: int | None = None
    bias_ev: float | None = None

    @property
    def value_ev(self) -> float | None:
        """The exposure value at ISO 100 that these settings are made for: 15 in the sun, 0 for 1 s at f/1 (APEX).

        A scene that is well exposed by them has this light value. None if time, aperture or ISO is not known.
        """
        if not (self.seconds and self.aperture and self.iso):
            return None
        return math.log2(self.aperture**2 / self.seconds) - math.log2(self.iso / 100)


@dataclass(frozen=True, slots=True)
class Camera:
    """What EXIF says about the shot; orientation is the EXIF value 1..8, `focal_mm` the real focal length.

    `auto_bracket` says that the camera itself took the shot as one of an exposure series (EXIF ExposureMode 2).
    """

    model: str | None = None
    taken_at: datetime | None = None
    orientation: int = 1
    exposure: Exposure = Exposure()
    focal_mm: float | None = None
    auto_bracket: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """A complete file that is ready to be judged; `digest` is the SHA-256 of its bytes in hex."""

    place: Place
    stamp: Stamp
    digest: str
    format: Format
    camera: Camera = Camera()


@dataclass(frozen=True, slots=True)
class Scores:
    """Calibrated probabilities 0..1 that the photo has each defect."""

    blur: float
    under: float
    over: float

    def of(self, defect: Defect) -> float:
        """The probability of one defect."""
        return {Defect.BLUR: self.blur, Defect.UNDER: self.under, Defect.OVER: self.over}[defect]

    def __str__(self) -> str:
        # Cut, not rounded: 0.969 must not read as the 0.97 that it did not reach.
        return "  ".join(f"{defect} {math.floor(100 * self.of(defect)) / 100:.2f}" for defect in Defect)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a photo could not be decoded; such a photo is never moved."""

    reason: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a picture looks from afar: SIDE x SIDE bits that say where it gets brighter to the right, or downwards."""

    SIDE: ClassVar[int] = 16

    rows: int
    columns: int

    def distance(self, other: Likeness, right: int = 0, down: int = 0) -> float:
        """The share of bits, 0..1, in which two pictures differ where they overlap; the other one moved so far."""
        width, height = self.SIDE - right, self.SIDE - down
        overlap = sum(((1 << width) - 1) << (self.SIDE * row) for row in range(height))
        differing = sum(
            ((mine ^ (its >> (right + self.SIDE * down))) & overlap).bit_count()
            for mine, its in ((self.rows, other.rows), (self.columns, other.columns))
        )
        return differing / (2 * width * height)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A photo and what the network said of it; `model` identifies the network."""

    photo: Photo
    result: Scores | Unreadable
    model: str
    likeness: Likeness | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Shots that a photographer took as one, in the order of time."""

    kind: SeriesKind
    members: tuple[Assessment, ...]


@dataclass(frozen=True, slots=True)
class Care:
    """What people have done for a photo: words for each field that speaks for it, the marks whose field somebody
    filled with whatever, the programs that hold edits of it; `unclear` is why some of that cannot be told.
    """  # noqa: D205 - one sentence

    rated: tuple[str, ...] = ()
    filled: frozenset[Mark] = frozenset()
    edited: tuple[str, ...] = ()
    unclear: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """A photo and the files that belong to it.

    `sidecars` live and move with the photo; `edits` are the files in which other programs keep somebody's work on the
    shot.
    `partners` are the other pictures of the same shot that are judged with it (the JPEG of a RAW): they go together, or
    stay. `kin` are files of the same shot that are not (a movie, a RAW that cannot be read): a photo that has kin is
    tagged, never moved away from them.
    """

    lead: Assessment
    sidecars: tuple[Place, ...] = ()
    kin: tuple[Place, ...] = ()
    partners: tuple[Assessment, ...] = ()
    edits: tuple[Place, ...] = ()
    care: Care = Care()
    series: Series | None = None

    @property
    def members(self) -> tuple[Assessment, ...]:
        """Every judged picture of the shot."""
        return (self.lead, *self.partners)


@dataclass(frozen=True, slots=True)
class Edit:
    """At byte `offset` of the old file, `removed` is replaced by `inserted`."""

    offset: int
    removed: bytes
    inserted: bytes


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A lossless change of one file, as byte edits between two digests; `before` is None for a file that is new."""

    place: Place
    before: str | None
    after: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A file's way to another place; `digest` is the SHA-256 it has when it is moved."""

    source: Place
    target: Place
    digest: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which probability a defect is tagged, and from which it is rejected (None: never)."""

    tag: float
    reject: float | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a threshold means on photos that nobody trained on: which share of what reaches it has the defect
    (`precision`), and which share of the defective reaches it (`recall`).
    """  # noqa: D205 - one sentence

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Protection:
    """What is never moved, whatever its scores: photos that somebody `rated` (or labelled, or flagged) or `edited`."""

    rated: bool = True
    edited: bool = True
    night: float | None = 3.0
    """Below this light value a dark photo shows a dark scene, and is not under-exposed; None: whatever the light."""
    series: bool = True
    """Exposure brackets, focus stacks and panoramas stay whole."""
    bursts: bool = True
    """The best frame of a burst stays."""


@dataclass(frozen=True, slots=True)
class BrakeLimit:
    """Nothing is moved any more once more than this `share` (0..1) of the last `photos` was to be moved."""

    share: float
    photos: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do with a photo of which a condition holds, whatever its scores."""

    name: str
    when: Expression
    action: Action


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy in force; `digest` identifies it in every decision."""

    mode: Mode
    blur: Threshold
    under: Threshold
    over: Threshold
    digest: str
    stacks: Stacking = Stacking.BEST
    protect: Protection = Protection()
    named: tuple[Rule, ...] = ()
    brake: BrakeLimit | None = None

    def of(self, defect: Defect) -> Threshold:
        """The thresholds of one defect."""
        return {Defect.BLUR: self.blur, Defect.UNDER: self.under, Defect.OVER: self.over}[defect]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will be done with a stack, and why; nothing has been changed yet.

    `rewrites` come first, then `moves` in order, the photo itself last. `keywords` are the tags to add; `notes` say
    what could not be tagged and why. `rule` is the one that decided: `policy.rules.NAME`, or the key of a threshold.
    `unwanted` says that the photo goes, or would go if culld were not told to hold still (mode, brake).
    """

    id: str
    stack: Stack
    verdict: Verdict
    reason: str
    keywords: tuple[str, ...]
    policy: str
    made_at: datetime
    rewrites: tuple[Rewrite, ...] = ()
    moves: tuple[Move, ...] = ()
    notes: tuple[str, ...] = ()
    rule: str = ""
    unwanted: bool = False

    @property
    def photo(self) -> Photo:
        """The photo that the plan is about."""
        return self.stack.lead.photo


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan: where the photo is now, or the fault that stopped it and when to try again.

    `unfinished` says that files of the plan are on both sides; the plan stays open, and a replay carries it on.
    """

    plan: Plan
    now: Place
    stamp: Stamp | None
    digest: str
    note: str = ""
    fault: str | None = None
    retry_after: timedelta | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A decision that was carried out, with what it was made from: another policy may decide it again.

    `now` is where the photo is, with which digest; `away` that it is in quarantine, `restored` that a person brought it
    back, `unwanted` that it was moved or would have been, had culld been let. The stack has no series, and the stamps
    in it are empty.
    """

    plan: str
    made_at: datetime
    verdict: Verdict
    rule: str
    reason: str
    policy: str
    now: Place
    digest: str
    away: bool
    restored: bool
    unwanted: bool
    stack: Stack


@dataclass(frozen=True, slots=True)
class Reject:
    """A photo that was moved to quarantine: from where to where, by which rule, and whether a person brought it back.

    `digests` are those of its bytes when it was judged and as it was moved; `released` says how else it left.
    """

    plan: str
    made_at: datetime
    place: Place
    now: Place
    digests: frozenset[str]
    scores: Scores
    camera: str | None
    rule: str
    restored: bool
    released: str


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """A plan that the journal holds as begun but not ended; `digest` is the photo's as it was judged."""

    id: str
    photo: Place
    digest: str
    rewrites: tuple[Rewrite, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A settled file that could not even be read, why, and when to look again; unless `steady`, waits grow.

    After so many tries (`tries`) it is left alone until it changes; None for no end of them.
    """

    sighting: Sighting
    reason: str
    retry_after: timedelta
    steady: bool = False
    tries: int | None = None


@dataclass(frozen=True, slots=True)
class Tagged:
    """A photo that culld wrote to: where it was and is, its digest before, and the rewrites, in their order."""

    plan: str
    made_at: datetime
    photo: Place
    now: Place
    digest: str
    rewrites: tuple[Rewrite, ...]

    def follow(self, rewrite: Rewrite) -> Rewrite:
        """The rewrite at the place where its file is now, beside the photo."""
        name = self.now.relative.name if rewrite.place == self.photo else rewrite.place.relative.name
        return replace(rewrite, place=self.now.beside(name))
