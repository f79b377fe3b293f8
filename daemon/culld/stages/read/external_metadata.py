"""What photo programs keep about a photo outside of it and of its sidecars: extended attributes, files in subfolders.

- KDE (Dolphin, Gwenview, Baloo): `user.baloo.rating`, 0 to 10 half stars (KFileMetaData::UserMetaData).
- gThumb: `.comments/a.jpg.xml`.
- Capture One: `CaptureOne/Settings131/a.jpg.cos`, in a folder for each version.
- Nikon (NX Studio, Capture NX-D): `NKSC_PARAM/a.jpg.nksc`.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoChangedError, PhotoError, TagRefusedError
from culld.files.open_beneath import folder_entries, open_folder, open_regular, stamp_of
from culld.files.os_errors import message_for, translate_errors
from culld.records import Rating, RootedPath, UserMetadata, display_path
from culld.tags.gthumb_comments import MOST_BYTES, comment_in
from culld.tags.user_metadata import together

if TYPE_CHECKING:
    from collections.abc import Iterator

_KDE: Final = "user.baloo.rating"
_MAX_COMPANIONS: Final = 10
_CAPTURE_ONE: Final = Path("CaptureOne")
_UNSET: Final = frozenset({errno.ENODATA, errno.EOPNOTSUPP})


def external_user_metadata(photo: RootedPath) -> UserMetadata:
    """Return what programs keep about a photo outside of it; what cannot be read makes it unclear.

    Raises PhotoChangedError if the photo is gone.
    """
    return together([_of_kde(photo), _of_gthumb(photo), _of_editors(photo)])


def _of_kde(photo: RootedPath) -> UserMetadata:
    try:
        with open_regular(photo) as stream:
            value = os.getxattr(stream.fileno(), _KDE).strip()
    except OSError as error:
        return (
            UserMetadata()
            if error.errno in _UNSET
            else UserMetadata(unclear=str(message_for(error, photo.path, f"read {_KDE} of")))
        )
    halves = int(value) if value.isdigit() and len(value) <= 2 else 0
    stars = min(halves, _MAX_COMPANIONS) / 2
    return UserMetadata(stars=(Rating(f"KDE rating {stars:g}", stars),)) if stars else UserMetadata()


def _of_gthumb(photo: RootedPath) -> UserMetadata:
    relative = Path(".comments", f"{photo.relative.name}.xml")
    try:
        with open_regular(_below(photo, relative)) as stream:
            says, rating = comment_in(stream.read(MOST_BYTES + 1))
    except PhotoChangedError:
        return UserMetadata()
    except (PhotoError, TagRefusedError) as error:
        return UserMetadata(unclear=f"{display_path(relative)}: {error}")
    return UserMetadata(stars=() if rating is None else (rating,), ratings_outside=(str(relative),) if says else ())


def _of_editors(photo: RootedPath) -> UserMetadata:
    name = photo.relative.name
    try:
        candidates = [(folder / f"{name}.cos", "Capture One") for folder in _settings(photo)]
        candidates.append((Path("NKSC_PARAM", f"{name}.nksc"), "Nikon"))
        found = [(path, program) for path, program in candidates if stamp_of(_below(photo, path)) is not None]
    except PhotoError as error:
        return UserMetadata(unclear=str(error))
    return UserMetadata(
        edited_by=tuple(f"{program}: {display_path(path)}" for path, program in found),
        ratings_outside=tuple(str(path) for path, _ in found),
    )


def _settings(photo: RootedPath) -> Iterator[Path]:
    """Yield the folders, below that of a photo, in which each version of Capture One keeps its settings."""
    try:
        descriptor = open_folder(photo.root, photo.relative.parent / _CAPTURE_ONE)
    except PhotoChangedError:
        return
    with translate_errors(photo.path.parent / _CAPTURE_ONE, "list"), folder_entries(descriptor) as entries:
        for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
            if entry.name.startswith("Settings") and entry.is_dir(follow_symlinks=False):
                yield _CAPTURE_ONE / entry.name


def _below(photo: RootedPath, path: Path) -> RootedPath:
    return RootedPath(photo.root, photo.relative.parent / path)
