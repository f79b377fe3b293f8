"""The ratings, labels, flags and edits of a photo that its user made in photo programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from culld.records.enums import RejectFlag
    from culld.records.files import RootedPath


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
