"""Whether two photos look alike, and whether they are copies of one shot, by the facts in their rows; numpy only.

The limits were chosen on the calibration split of `tests/bench/archive_duplicates.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.near_duplicates.bands import detail, differing, turned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culld.archive.near_duplicates.bands import Hashes, Places

    Flags = NDArray[np.bool_]
    Words = NDArray[np.uint64]

UNKNOWN_TIME: Final = np.iinfo(np.int64).min
"""Stands for a time of the shot that is not known."""
_SECOND: Final = 1_000_000
_LIKE: Final = 0.37
"""Like hashes differ in at most this share of the neighbouring bits that differ in the plainer one (`detail`)."""
_MOST_DIFFERING: Final = 128
_LEAST_DETAIL: Final = 112
"""With less detail, as of a clear sky or a dark frame, photos of one thing and of another have like hashes."""
_ASPECT: Final = 1.1
"""Aspect ratios may differ by this factor: a crop by 3 % at two sides changes them by 1.064."""
_BRIGHTNESS_EV: Final = 0.6
"""Of two photos of one size: the frames of a bracket have one, and a copy saved again is as bright as its source."""
_CROPPED_EV: Final = 1.0
"""Of two photos of other sizes: a crop by 3 % moves the median of a photo of a bright and a dark half."""


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """Columns of photos, each with `count` values; those that are not known are NaN, UNKNOWN_TIME, or 0 for `series`.

    - `width` and `height` in pixels as the photo stands upright; `brightness` in EV.
    - `taken` in microseconds since 1970.
    - `series` and `number`: photos of one series have a name that a camera counts on in one folder, each with a number.
    - `shot` is equal for the files of one shot, such as a RAW and its JPEG.
    - `digests` are SHA-256 (count, 32).
    """

    hashes: Hashes
    digests: NDArray[np.uint8]
    width: NDArray[np.float32]
    height: NDArray[np.float32]
    brightness: NDArray[np.float32]
    taken: NDArray[np.int64]
    series: NDArray[np.int64]
    number: NDArray[np.int64]
    shot: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.hashes)

    def at(self, places: Places | Flags) -> Photos:
        """Return some of the photos."""
        return Photos(*(getattr(self, name)[places] for name in self.__slots__))

    def upright(self) -> Photos:
        """Return the photos with the hashes of portraits turned upright.

        A portrait is hashed lying. Without this a square photo and its crop could be a quarter turn apart. All of them
        are turned: if only nearly square ones were, a portrait and its crop could be.
        """
        which = np.flatnonzero(self.height > self.width)
        hashes = self.hashes.copy()
        hashes[which] = turned(hashes[which])
        return Photos(hashes, *(getattr(self, name) for name in self.__slots__[1:]))

    @property
    def aspect(self) -> NDArray[np.float32]:
        """The longer side over the shorter one."""
        found: NDArray[np.float32] = np.divide(
            np.maximum(self.width, self.height), np.minimum(self.width, self.height), dtype=np.float32
        )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Compares photos by their places; each method takes two arrays of places, and returns an answer for each pair."""

    photos: Photos
    details: NDArray[np.int64]
    aspect: NDArray[np.float32]

    @classmethod
    def of(cls, photos: Photos) -> Likeness:
        """Return the likeness of photos that are upright."""
        return cls(photos, detail(photos.hashes), photos.aspect)

    @property
    def is_plain(self) -> Flags:
        """Whether a photo has too little detail to be told by its hash; only its bytes tell a copy."""
        found: Flags = self.details < _LEAST_DETAIL
        return found

    def are_alike(self, one: Places, other: Places) -> Flags:
        """Whether both show the same in the same frame, perhaps at other times."""
        one_aspect, other_aspect = self.aspect[one], self.aspect[other]
        least = np.minimum(self.details[one], self.details[other])
        fits = ~(np.maximum(one_aspect, other_aspect) > _ASPECT * np.minimum(one_aspect, other_aspect))
        fits &= least >= _LEAST_DETAIL
        fits[fits] = differing(self.photos.hashes, one[fits], other[fits]) <= np.minimum(
            _LIKE * least[fits], _MOST_DIFFERING
        )
        return fits

    def are_one_shot(self, one: Places, other: Places) -> Flags:
        """Whether nothing speaks against two photos that are alike being copies of one shot.

        Two known times differ, by seconds or, where both have fractions of them, by these; two photos of one second
        have the names of two frames that a camera counted; or one is brighter, like another frame of a bracket, by
        more than a crop changes.
        """
        first, second = self.photos.taken[one], self.photos.taken[other]
        are_known = (first != UNKNOWN_TIME) & (second != UNKNOWN_TIME)
        have_fractions = (first % _SECOND != 0) & (second % _SECOND != 0)
        at_others = np.where(have_fractions, first != second, first // _SECOND != second // _SECOND)
        series, number = self.photos.series, self.photos.number
        are_counted = (series[one] != 0) & (series[one] == series[other]) & (number[one] != number[other])
        width, height = self.photos.width, self.photos.height
        have_other_size = (width[one] != width[other]) | (height[one] != height[other])
        most_ev = np.where(have_other_size, _CROPPED_EV, _BRIGHTNESS_EV)
        brighter = np.abs(self.photos.brightness[one] - self.photos.brightness[other]) > most_ev
        found: Flags = ~(are_known & (at_others | are_counted)) & ~brighter
        return found


def equal_in(columns: Sequence[Words]) -> tuple[Places, Places]:
    """Return which rows are equal in all columns: the number of its class for each row, and a row of each class."""
    mixed = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    is_first = np.zeros(len(order), np.bool_)
    is_first[:1] = True
    for column in columns:
        ordered = column[order]
        is_first[1:] |= ordered[1:] != ordered[:-1]
    classes = np.empty(len(order), np.int64)
    classes[order] = np.cumsum(is_first) - 1
    return classes, order[is_first]


def same_bytes(photos: Photos) -> tuple[Places, Places]:
    """Return the classes of photos of the same bytes, as `equal_in` does."""
    return equal_in(_words(photos.digests))


def same_look(likeness: Likeness) -> tuple[Places, Places]:
    """Return the classes of photos of equal hash, size, time, brightness and number: copies that need no search."""
    photos = likeness.photos
    is_timed = photos.taken != UNKNOWN_TIME
    facts = [
        photos.width.view(np.uint32),
        photos.height.view(np.uint32),
        photos.taken,
        np.floor(photos.brightness / _BRIGHTNESS_EV).view(np.uint32),
        np.where(is_timed, photos.series, 0),
        np.where(is_timed, photos.number, 0),
        np.where(likeness.is_plain, np.arange(1, len(photos) + 1), 0),
    ]
    return equal_in([*_words(photos.hashes), *(each.astype(np.uint64) for each in facts)])


def _words(values: NDArray[np.uint8]) -> list[Words]:
    """Return rows of bytes as columns of 8 bytes."""
    return list(np.ascontiguousarray(values).view(np.uint64).T)
