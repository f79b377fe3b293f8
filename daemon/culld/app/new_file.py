"""A new file that is written in pieces: it gets its name when all of it is on the disk, and replaces no other file."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final

from culld.errors import SystemFaultError
from culld.files.tempfile import temp_file
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from culld.files.tempfile import TempFile
    from culld.imaging.clip_writer import Piece

_ADVICE: Final = {
    errno.ENOSPC: "the disk is full; free some space, then run the command again",
    errno.EDQUOT: "the disk quota is used up; free some space or raise it, then run the command again",
    errno.EFBIG: "it is larger than this file system or the limit of file sizes (ulimit -f) allows",
}


class NewFile:
    """A file under a hidden name, open for pieces."""

    def __init__(self, made: TempFile, out: Path) -> None:
        """Be empty; `out` is the name that messages have."""
        self._made = made
        self._out = out
        self._end = 0

    def write(self, pieces: Iterable[Piece]) -> None:
        """Write pieces where they belong; raises SystemFaultError, also for a piece that begins beyond the end.

        Pieces come from a worker process that has read foreign input: a hole would be its fault, or an attack.
        """
        for piece in pieces:
            if not 0 <= piece.offset <= self._end:
                raise SystemFaultError("the worker process returned bytes that belong nowhere; please report this")
            with _translated(self._out):
                self._end = max(self._end, self._write_at(piece.offset, piece.data))

    @property
    def hidden(self) -> Path:
        """The path of the file until it gets its name."""
        return self._out.with_name(self._made.name)

    def write_whole(self, data: bytes) -> None:
        """Write all of the file at once; raises SystemFaultError."""
        with _translated(self._out):
            self._end = self._write_at(0, data)

    def _write_at(self, at: int, data: bytes) -> int:
        """Write all of `data`, and return where it ends."""
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._made.descriptor, rest, at)
            rest, at = rest[written:], at + written
        return at

    def commit(self) -> None:
        """Give the file its name, durably; raises SystemFaultError if it is taken, or the disk fails."""
        with _translated(self._out):
            os.fsync(self._made.descriptor)
            self._made.commit(self._out.name)


@contextlib.contextmanager
def new_file(out: Path) -> Iterator[NewFile]:
    """Create a file under a hidden name in the folder of `out`; unless it is committed, nothing is left of it.

    Raises SystemFaultError if that cannot be done, or the name is taken.
    """
    with contextlib.ExitStack() as opened:
        with _translated(out):
            if os.path.lexists(out):
                raise FileExistsError
            folder = os.open(out.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, folder)
            made = opened.enter_context(temp_file(folder, mode=0o666))
        yield NewFile(made, out)


@contextlib.contextmanager
def _translated(out: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise SystemFaultError(f"{display_path(out)} is there already; name another file") from error
    except FileNotFoundError as error:
        raise SystemFaultError(f"the folder {display_path(out.parent)} is missing; create it") from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror)
        raise SystemFaultError(f"{display_path(out)} cannot be written: {advice}") from error
