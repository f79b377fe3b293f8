"""The folder of an archive: its manifest, its lock, its plans and its shards.

    archive.json                           schema version, URIs, model, sharpness; written once, locked by readers
    archive.lock                           locked while a run goes on
    plans/0001.parquet                     the files of a scan, with the shard of each
    rows/0001/shard-000000.parquet         the rows of a shard
    rows/0001/shard-000000-000255.parquet  the rows of the shards 0 to 255, instead of their own files
    rows/0001/deleted.parquet              the rows of photos that are gone

Each file is written under a hidden name, made durable, and renamed: a file that has its name is complete.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from culld.archive.parquet.row_files import JOINED, SHARD, RowFiles, other_schema
from culld.archive.parquet.schema import SCHEMA_VERSION
from culld.archive.records import SharpnessChoice
from culld.errors import ConfigError, SystemFaultError
from culld.files.open_beneath import sync_folder
from culld.files.temp_names import is_own_temp, temp_name
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MANIFEST: Final = "archive.json"
_LOCK: Final = "archive.lock"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What all rows of an archive have in common: the URIs of its photos in order, the id of the model.

    `sharpness` is the `SharpnessChoice` as text.
    """

    uris: tuple[str, ...]
    model: str
    sharpness: str = SharpnessChoice.BURSTS
    schema: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class ArchiveFolder:
    """The paths of the files of an archive."""

    path: Path

    def plan(self, scan: int) -> Path:
        """Return the path of the plan of a scan."""
        return self.path / "plans" / f"{scan:04}.parquet"

    def shard(self, scan: int, number: int) -> Path:
        """Return the path of a shard."""
        return self.path / "rows" / f"{scan:04}" / SHARD.format(number)

    def joined(self, scan: int, first: int, last: int) -> Path:
        """Return the path of the file that joins the shards `first` to `last`."""
        return self.path / "rows" / f"{scan:04}" / JOINED.format(first, last)

    def row_files(self, scan: int) -> RowFiles:
        """Return the files with the shards of a scan; raises ConfigError if two hold the same shard."""
        return RowFiles.of(self.path / "rows" / f"{scan:04}")

    def committed(self, scan: int) -> frozenset[int]:
        """Return the numbers of the shards of a scan that are written; raises as `row_files`."""
        return frozenset(number for each in self.row_files(scan).holding for number in range(each.first, each.last + 1))

    def deleted(self, scan: int) -> Path:
        """Return the path of the rows of photos that are gone."""
        return self.path / "rows" / f"{scan:04}" / "deleted.parquet"

    def last_scan(self) -> int:
        """Return the number of the last scan that has a plan; 0 if there is none."""
        return max((int(each.stem) for each in self.path.glob("plans/[0-9]*.parquet")), default=0)

    def rows(self) -> list[Path]:
        """Return all files that hold rows, in the order of scans; raises as `row_files`."""
        scans = sorted(int(each.name) for each in self.path.glob("rows/[0-9]*") if each.name.isdecimal())
        return [file for scan in scans for file in (*self._deleted(scan), *self._holding(scan))]

    def _deleted(self, scan: int) -> list[Path]:
        file = self.deleted(scan)
        return [file] if file.exists() else []

    def _holding(self, scan: int) -> list[Path]:
        return [each.path for each in self.row_files(scan).holding]

    @contextlib.contextmanager
    def read(self) -> Iterator[Manifest]:
        """Yield what the rows have in common; during the block no file of rows is removed.

        Raises ConfigError for a folder that is no archive, SystemFaultError if it cannot be read or locked.
        """
        with contextlib.ExitStack() as stack:
            try:
                manifest = self.manifest()
                fcntl.flock(stack.enter_context((self.path / _MANIFEST).open("rb")), fcntl.LOCK_SH)
            except OSError as error:
                why = error.strerror or error
                raise SystemFaultError(f"{display_path(self.path)} cannot be read and locked: {why}") from error
            yield manifest

    @contextlib.contextmanager
    def unread(self) -> Iterator[bool]:
        """Yield whether no other process reads the rows; if so, none begins during the block."""
        with (self.path / _MANIFEST).open("r+b") as file:  # NFS locks alone only a file that is open for writing
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_unread = True
            except BlockingIOError:
                is_unread = False
            yield is_unread

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the only run; unfinished files of a run that was killed are removed.

        Raises SystemFaultError if another run goes on.
        """
        with (self.path / _LOCK).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SystemFaultError(
                    f"another `culld archive` writes to {display_path(self.path)}; wait until it has ended"
                ) from error
            for each in self.path.rglob(".culld-*"):
                if is_own_temp(each.name):
                    each.unlink(missing_ok=True)
            yield

    def open(self, wanted: Manifest) -> None:
        """Create the archive, or check that it holds the wanted photos, scored by the wanted model.

        Raises ConfigError for a folder that holds something else.
        """
        shown, file = display_path(self.path), self.path / _MANIFEST
        if not file.exists():
            if any(each.name not in {_LOCK, _MANIFEST} and not is_own_temp(each.name) for each in self.path.iterdir()):
                raise ConfigError((f"{shown} is no archive and is not empty; name a new folder",))
            with placed(file) as hidden:
                hidden.write_text(json.dumps(asdict(wanted), indent=2) + "\n")
            return
        if refusal := _refusal(_parsed(file), wanted):
            raise ConfigError((f"{shown} {refusal}",))

    def manifest(self) -> Manifest:
        """Return what the rows of the archive have in common; raises ConfigError for a folder that is no archive."""
        shown, file = display_path(self.path), self.path / _MANIFEST
        if not file.is_file():
            raise ConfigError((f"{shown} is no archive: it has no {_MANIFEST}; `culld archive score` makes one",))
        found = _parsed(file)
        if found.get("schema") != SCHEMA_VERSION:
            raise ConfigError((f"{shown} {other_schema(found.get('schema'))}",))
        match found:
            case {"uris": [*uris], "model": str(model), "sharpness": str(sharpness)} if _all_texts(uris):
                return Manifest(tuple(uris), model, sharpness)
        raise ConfigError((f"{display_path(file)} is damaged; score the photos again into a new folder",))


def _all_texts(values: list[object]) -> bool:
    return all(isinstance(each, str) for each in values)


def _refusal(found: Mapping[str, Any], wanted: Manifest) -> str:
    """Return, as a clause, why an archive cannot take the wanted photos; empty if it can."""
    if found.get("schema") != wanted.schema:
        return other_schema(found.get("schema"))
    uris = found.get("uris")
    if uris != list(wanted.uris):
        theirs = " ".join(map(str, uris)) if isinstance(uris, list) else "no known ones"
        return f"is the archive of other photos ({theirs}); name these, or a new folder"
    if found.get("model") != wanted.model:
        return f"was scored by the model {found.get('model')}, and not by {wanted.model}; name a new folder"
    if found.get("sharpness") != wanted.sharpness:
        return f"was begun with --sharpness {found.get('sharpness')}; go on so, or name a new folder"
    return ""


@contextlib.contextmanager
def placed(file: Path) -> Iterator[Path]:
    """Give a hidden path to write to; at the end of the block it becomes `file`, durably, and replaces an older one.

    Raises OSError; after an exception nothing is left.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    hidden = file.with_name(temp_name())
    try:
        yield hidden
        _sync(hidden)
        hidden.replace(file)
    except BaseException:  # also Ctrl-C: no hidden file stays
        hidden.unlink(missing_ok=True)
        raise
    for folder in (file.parent, file.parent.parent):  # the folder itself may be new
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_folder(descriptor)
        finally:
            os.close(descriptor)


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parsed(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError((f"{display_path(file)} is damaged; name a new folder for the archive",))
    return found
