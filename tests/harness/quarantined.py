"""Photos on a real disk, and the plans that reject them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from culld.files.open_beneath import stamp_of
from culld.quarantine.destination import plan_moves
from culld.records import Assessment, Edit, Format, Photo, Plan, Rewrite, RootedPath, Scores, Stack, Verdict
from harness import factories

TAG = b"<defect:blur>"


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def put(place: RootedPath, data: bytes) -> RootedPath:
    """Make a file, and the folders above it."""
    place.path.parent.mkdir(parents=True, exist_ok=True)
    place.path.write_bytes(data)
    return place


def stack(place: RootedPath, *sidecars: RootedPath) -> Stack:
    """The judged stack of a photo that is on the disk."""
    stamp = stamp_of(place)
    assert stamp is not None
    photo = Photo(place, stamp, digest(place.path.read_bytes()), Format.JPEG)
    return Stack(Assessment(photo, Scores(0.99, 0.1, 0.02), "model@1"), sidecars)


def tagging(place: RootedPath) -> Rewrite:
    """The rewrite that puts the tag after the second byte of a file, or into a new file."""
    if not place.path.exists():
        return Rewrite(place, None, digest(TAG), (Edit(0, b"", TAG),))
    old = place.path.read_bytes()
    return Rewrite(place, digest(old), digest(old[:2] + TAG + old[2:]), (Edit(2, b"", TAG),))


def rejection(found: Stack, quarantine: Path, *rewrites: Rewrite) -> Plan:
    """The plan that makes these rewrites and moves the stack into quarantine."""
    number = hashlib.sha256(os.fsencode(found.primary.photo.place.path)).hexdigest()[:16]
    plan = factories.plan(found, Verdict.QUARANTINE)
    plan = replace(plan, id=f"plan-{number}", keywords=("defect:blur",), rewrites=rewrites)
    return replace(plan, moves=plan_moves(plan, quarantine))


def nothing_of_culld(_place: RootedPath) -> None:
    """Stands in for the worker that finds culld's keywords in a file: these files hold none."""


def contents(*folders: Path) -> list[str]:
    """The digests of all files below some folders but for culld's own records, sorted."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(digest(path.read_bytes()) for path in files if not path.name.endswith(".culld.json"))


def tree(folder: Path) -> list[str]:
    """The relative paths of all files below a folder, sorted; without those that FUSE hides until they are closed."""
    files = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(str(path.relative_to(folder)) for path in files if not path.name.startswith(".fuse_hidden"))
