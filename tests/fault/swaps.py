"""A folder is swapped for a link to elsewhere, again and again, while culld scans it and moves photos out of it."""

from __future__ import annotations

import ctypes
import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from culld.errors import PhotoError
from culld.files.move import move_file
from culld.records import Move, RootedPath
from culld.stages.watch.scanner import Scanner

_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_HERE = -100  # AT_FDCWD
INSIDE, OUTSIDE = b"a photo", b"a secret"


@dataclass(frozen=True)
class Swapped:
    """The counts: how often the folder was swapped, photos moved, and files from outside seen or touched."""

    swaps: int
    moves: int
    refused: int
    escapes: int


def race(folder: Path, swaps: int) -> Swapped:
    """Swap so many times; meanwhile scan, move what was found, and put it back."""
    inbox, quarantine, outside = (folder / name for name in ("inbox", "quarantine", "outside"))
    for each in (inbox / "sub", quarantine, outside):
        each.mkdir(parents=True)
    (inbox / "sub" / "a.jpg").write_bytes(INSIDE)
    (outside / "a.jpg").write_bytes(OUTSIDE)
    (inbox / "link").symlink_to(outside)
    over = threading.Event()

    def swap() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        one, other = os.fsencode(inbox / "sub"), os.fsencode(inbox / "link")
        for _ in range(swaps):
            assert libc.renameat2(_HERE, one, _HERE, other, _EXCHANGE) == 0
        over.set()

    thread = threading.Thread(target=swap)
    thread.start()
    moves = refused = escapes = 0
    while not over.is_set():
        escapes += sum(snapshot.stamp.size == len(OUTSIDE) for snapshot in Scanner({".jpg"}).scan(inbox))
        done = _there_and_back(RootedPath(inbox, Path("sub/a.jpg")), RootedPath(quarantine, Path("a.jpg")))
        moves += done
        refused += not done
        escapes += (outside / "a.jpg").read_bytes() != OUTSIDE or len(list(outside.iterdir())) > 1
    thread.join()
    found = [path for path in folder.rglob("a.jpg") if path.read_bytes() == INSIDE]
    escapes += len(found) != 1
    return Swapped(swaps, moves, refused, escapes)


def _there_and_back(photo: RootedPath, target: RootedPath) -> bool:
    """Return whether the photo could be moved; it is back afterwards, wherever its folder is called so by now."""
    digest = hashlib.sha256(INSIDE).hexdigest()
    try:
        move_file(Move(photo, target, digest))
    except PhotoError:
        return False
    while target.path.exists():
        for name in ("sub", "link"):
            try:
                move_file(Move(target, RootedPath(photo.root, Path(name, "a.jpg")), digest))
                break
            except PhotoError:
                continue
    return True
