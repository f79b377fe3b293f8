"""The enumerations: defects, verdicts, formats and others; and `display_path`, which makes paths safe to print."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path


def display_path(path: Path) -> str:
    """Return a path as text that is safe to print and log: undecodable bytes and control characters are escaped."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class Defect(StrEnum):
    """The technical defects that culld detects."""

    BLUR = "blur"
    UNDER = "under"
    OVER = "over"
    FOCUS = "focus"
    """Missed focus: the main face is out of focus."""


NETWORK_DEFECTS: Final = (Defect.BLUR, Defect.UNDER, Defect.OVER)
"""The defects that the defect network detects, in the order of its outputs."""


class Verdict(StrEnum):
    """The verdict of the policy about a photo."""

    KEEP = "keep"
    TAG = "tag"
    QUARANTINE = "quarantine"
    UNREADABLE = "unreadable"


class PlanState(StrEnum):
    """The state of a plan: OPEN when it is committed, then one of the others."""

    OPEN = "open"
    """Its files may be changing; a replay compares the plan with the disk, and ends it."""
    DONE = "done"
    """Every change is on the disk."""
    FAULT = "fault"
    """A change could not be made; no stack is partly moved, and the photo is due for another try."""
    ROLLED_BACK = "forgotten"
    """A crash interrupted it; no file is moved, and the photo is judged again."""
    NEEDS_ATTENTION = "parked"
    """Another program changed its files while it was open; they stay at their paths until the user has checked."""


class Action(StrEnum):
    """What a named rule of the policy does with a photo that meets its condition."""

    KEEP = "keep"
    TAG = "tag"
    QUARANTINE = "quarantine"


class StackVerdict(StrEnum):
    """Which photo of a shot decides for all of them, if a shot has several, such as RAW and JPEG."""

    BEST = "best"
    WORST = "worst"
    RAW = "raw"


class SeriesKind(StrEnum):
    """The kinds of series."""

    BRACKET = "bracket"
    FOCUS_STACK = "focus stack"
    PANORAMA = "panorama"
    BURST = "burst"


class RejectFlag(StrEnum):
    """A property in which photo programs store that a photo is rejected."""

    RATING = "rating"
    PICK = "pick"
    DIGIKAM = "digikam"
    LABEL = "label"


class Sidecars(StrEnum):
    """Which tagged photos get a new sidecar: all, those that cannot be written themselves, or none."""

    ALWAYS = "always"
    NEEDED = "needed"
    NEVER = "never"


class SidecarStyle(StrEnum):
    """The name of a new sidecar: `a.jpg.xmp` (darktable, digiKam, Immich) or `a.xmp` (Adobe)."""

    FULL = "full"
    ADOBE = "adobe"


class EngineKind(StrEnum):
    """The engine of the network: LiteRT in every worker, one TensorFlow for all workers, or the faster of both here."""

    AUTO = "auto"
    LITERT = "litert"
    TENSORFLOW = "tensorflow"


class Mode(StrEnum):
    """Whether the policy may move photos (`enforce`) or only tags them (`observe`)."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Format(StrEnum):
    """The container of a photo, or that of a clip, by its first bytes; most RAW files differ from TIFF only by name."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    TIFF = "tiff"
    HEIF = "heif"
    AVIF = "avif"
    JXL = "jxl"
    RAW = "raw"
    VIDEO = "video"
    """A clip, in any container."""
    UNKNOWN = "unknown"
