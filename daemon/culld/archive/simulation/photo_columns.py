"""The columns of a table of rows as arrays: what thresholds, rules and series look at.

A value that no camera writes is not known, as in `records.Camera`.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.archive.parquet.schema import HASH_BYTES
from culld.archive.records import Status
from culld.archive.simulation.rule_columns import Numbers, Texts
from culld.records import Camera, Exposure, Format
from culld.records.camera import POSSIBLE
from culld.rules import NUMBER, REGION_VARIABLES, VARIABLES
from culld.stages.decide.rule_variables import FACE_BLURRED_FROM

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    import numpy.typing as npt
    import pyarrow as pa

    from culld.archive.simulation.rule_columns import Mask

_DAY_S: Final = 86400.0
_MICRO: Final = 1e6
_POSSIBLE: Final = {"exposure_s": "time_s", "aperture": "aperture", "iso": "iso", "bias_ev": "bias_ev",
                    "focal_mm": "focal_mm"}  # fmt: skip
_PLAIN: Final = {"missed_focus": "focus", "exposure_time": "exposure_s", "bias": "bias_ev", "focal_length": "focal_mm"}
_NEVER_KNOWN: Final = REGION_VARIABLES - {"subject_sharp"}
_OPEN: Final = frozenset({"series", "series_ev"})
"""The variables that no column has: they are found for each photo among its neighbours."""
_BASE: Final = (
    "path", "path_bytes", "status", "digest", "format", "width", "height", "camera", "taken_at", "exposure_s",
    "aperture", "iso", "bias_ev", "focal_mm", "auto_bracket", "blur", "under", "over", "focus", "sharpness", "dhash",
    "sidecars", "siblings", "blocking", "marked",
)  # fmt: skip
"""The columns of which each policy needs something; each column of a small file costs as much as its rows."""
_OF_VARIABLES: Final = {
    "sharp_share": ("sharp_share",), "faces": ("faces",), "face_blur": ("face_blur",), "face_light": ("face_light",),
    "subject_sharp": ("face_blur",), "hour": ("hour",), "age_days": ("mtime_ns",), "series_ev": ("brightness",),
}  # fmt: skip


def columns_for(variables: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that a simulation reads, by the variables of the rules; `facts` are read for single photos."""
    more = dict.fromkeys(column for name in sorted(variables) for column in _OF_VARIABLES.get(name, ()))
    return (*_BASE, *more)


@dataclass
class PhotoColumns:
    """A table of rows as arrays, each made when it is first asked for.

    `roots` holds, for each row, the position of its root in `root_paths`.
    """

    table: pa.Table
    roots: npt.NDArray[np.int64]
    root_paths: list[Path]
    now: datetime

    @property
    def count(self) -> int:
        """The number of rows."""
        return int(self.table.num_rows)

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return a column of numbers; NaN where the value is not known."""
        import pyarrow as pa

        column = self.table[name]
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        return np.asarray(column.cast(pa.float64(), safe=False).fill_null(math.nan).to_numpy())

    def known(self, name: str) -> Mask:
        """Return where a column has a value."""
        return np.asarray(self.table[name].is_valid().to_numpy())

    def setting(self, name: str) -> npt.NDArray[np.float64]:
        """Return a camera setting; NaN where it is not known or not possible."""
        least, largest = POSSIBLE[_POSSIBLE[name]]
        values = self.numbers(name)
        return np.where((values >= least) & (values <= largest), values, math.nan)

    @cached_property
    def status(self) -> npt.NDArray[np.object_]:
        """The status of each row."""
        return self.words("status")

    @cached_property
    def has_scores(self) -> Mask:
        """Where a row holds scores."""
        known = self.known("blur") & self.known("under") & self.known("over") & self.known("digest")
        return np.asarray((self.status == str(Status.SCORED)) & known)

    @cached_property
    def is_judged(self) -> Mask:
        """Where a row holds a judgement: scores, or that the photo cannot be decoded."""
        judged = np.isin(self.status, [str(Status.SCORED), str(Status.UNREADABLE)])
        return np.asarray(judged & self.known("digest"))

    @cached_property
    def micros(self) -> npt.NDArray[np.int64]:
        """The time of the shot in microseconds since 1970; 0 where it is not known."""
        import pyarrow as pa

        return np.asarray(self.table["taken_at"].cast(pa.int64()).fill_null(0).to_numpy())

    def light_values(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the light value of the settings of some rows, as `Exposure` calculates it; NaN if it is not known."""
        settings = (self.setting(name)[rows].tolist() for name in ("aperture", "exposure_s", "iso"))
        found = [
            math.log2(aperture**2 / time_s) - math.log2(iso / 100) if aperture + time_s + iso > 0 else math.nan
            for aperture, time_s, iso in zip(*settings, strict=True)
        ]
        return np.array(found, np.float64)

    @cached_property
    def longest(self) -> npt.NDArray[np.float64]:
        """The longer side in pixels; NaN where it is not known."""
        width, height = self.numbers("width"), self.numbers("height")
        return np.where((width > 0) & (height > 0), np.maximum(width, height), math.nan)

    @cached_property
    def has_siblings(self) -> Mask:
        """Where other photos belong to the shot."""
        return self._is_listed("siblings")

    @cached_property
    def has_blocking(self) -> Mask:
        """Where files that may belong to the shot would stay behind."""
        return self._is_listed("blocking")

    def keys_of(self, rows: npt.NDArray[np.int64]) -> list[bytes]:
        """Return the bytes of the paths of some rows."""
        return list(self.table["key"].take(rows).to_pylist())

    def hashes(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return the hashes of some rows, 64 bytes each; zeros where there is none."""
        column = self.table["dhash"].combine_chunks().fill_null(bytes(HASH_BYTES))
        every = np.frombuffer(column.buffers()[1], np.uint8)[column.offset * HASH_BYTES :].reshape(-1, HASH_BYTES)
        return every[: self.count][rows]

    def variables(self, names: Iterable[str]) -> dict[str, Numbers | Texts]:
        """Return variables of rule conditions as columns."""
        return {name: self._variable(name) for name in names}

    def _variable(self, name: str) -> Numbers | Texts:
        none = np.zeros(self.count, bool)
        if name in _OPEN:
            open_ = self.known("taken_at") & self.is_judged | self.has_siblings
            if VARIABLES[name] == NUMBER:
                return Numbers(np.zeros(self.count), none, open_)
            return Texts(np.zeros(self.count, np.int64), [None], open_)
        if name in {"camera", "name", "extension", "folder"}:
            return Texts(*self._texts(name), none)
        values = self._values(name)
        open_ = self.has_siblings if name in {"pictures", "raw"} else none
        return Numbers(values, ~np.isnan(values) & ~open_, open_)

    def _values(self, name: str) -> npt.NDArray[np.float64]:
        """Return the numbers of a variable; NaN where it is not known."""
        if name in _NEVER_KNOWN:
            return np.full(self.count, math.nan)
        if name == "pictures":
            return np.ones(self.count)
        made = {
            "subject_sharp": self._is_sharp,
            "age_days": self._age_days,
            "raw": self._is_raw,
            "longest": self._longest,
        }
        if name in made:
            return made[name]()
        if name == "light_value":
            return self.light_values(np.arange(self.count))
        column = _PLAIN.get(name, name)
        return self.setting(column) if column in _POSSIBLE else self._finite(column)

    def _is_sharp(self) -> npt.NDArray[np.float64]:
        blur = self._finite("face_blur")
        return np.where(np.isnan(blur), math.nan, blur < FACE_BLURRED_FROM)

    def _age_days(self) -> npt.NDArray[np.float64]:
        changed = np.where(self.known("taken_at"), self.micros / _MICRO, self.numbers("mtime_ns") / 1e9)
        return np.asarray((self.now.timestamp() - np.nan_to_num(changed)) / _DAY_S)

    def _is_raw(self) -> npt.NDArray[np.float64]:
        return np.asarray(self.words("format") == str(Format.RAW), np.float64)

    def _longest(self) -> npt.NDArray[np.float64]:
        return np.asarray(self.longest)

    def _finite(self, name: str) -> npt.NDArray[np.float64]:
        values = self.numbers(name)
        return values if name in {"blur", "under", "over", "focus"} else np.where(np.isfinite(values), values, math.nan)

    def _texts(self, name: str) -> tuple[npt.NDArray[np.int64], list[str | None]]:
        if name == "camera":
            codes, words = self.codes("camera")
            return codes, [Camera.of({"model": word}, None, Exposure()).model for word in words]
        words = [
            self._text(name, key, self.root_paths[root])
            for key, root in zip(self.table["key"].to_pylist(), self.roots, strict=True)
        ]
        found = {word: at for at, word in enumerate(dict.fromkeys(words))}
        return np.array([found[word] for word in words], np.int64), list(found)

    def _text(self, name: str, key: bytes, root: Path) -> str:
        path = PurePath(os.fsdecode(key))
        if name == "name":
            return path.name
        if name == "extension":
            return path.suffix.removeprefix(".").lower()
        return "/".join(path.relative_to(root).parent.parts)

    def codes(self, name: str) -> tuple[npt.NDArray[np.int64], list[Any]]:
        """Return a column as positions in the list of its values, of which None is one."""
        column = self.table[name].combine_chunks().dictionary_encode()
        words = column.dictionary.to_pylist()
        return np.asarray(column.indices.fill_null(len(words)).to_numpy(zero_copy_only=False), np.int64), [*words, None]

    def words(self, name: str) -> npt.NDArray[np.object_]:
        """Return a column of texts."""
        codes, words = self.codes(name)
        return np.array(words, object)[codes]

    def list_lengths(self, name: str) -> npt.NDArray[np.int32]:
        """Return the number of texts in each value of a column of lists."""
        import pyarrow.compute as pc

        return np.asarray(pc.list_value_length(self.table[name]).fill_null(0).to_numpy())

    def _is_listed(self, name: str) -> Mask:
        return np.asarray(self.list_lengths(name) > 0)
