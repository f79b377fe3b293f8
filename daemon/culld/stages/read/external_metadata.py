"""User metadata outside of a photo and its sidecars: extended attributes, files in subfolders.

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
_MAX_HALF_STARS: Final = 10
_CAPTURE_ONE: Final = Path("CaptureOne")
_UNSET: Final = frozenset({errno.ENODATA, errno.EOPNOTSUPP})


def external_user_metadata(photo: RootedPath) -> UserMetadata:
    """Return the user metadata outside of a photo and its sidecars; `unclear` is set if some of it cannot be read.

    Raises PhotoChangedError if the photo no longer exists.
    """
    return together([_kde_rating(photo), _gthumb_comment(photo), _editor_settings(photo)])


def _kde_rating(photo: RootedPath) -> UserMetadata:
    try:
        with open_regular(photo) as stream:
            value = os.getxattr(stream.fileno(), _KDE).strip()
    except OSError as error:
        return (
            UserMetadata()
            if error.errno in _UNSET
            else UserMetadata(unclear=str(message_for(error, photo.path, f"read {_KDE} of")))
        )
    half_stars = int(value) if value.isdigit() and len(value) <= 2 else 0
    stars = min(half_stars, _MAX_HALF_STARS) / 2
    return UserMetadata(stars=(Rating(f"KDE rating {stars:g}", stars),)) if stars else UserMetadata()


def _gthumb_comment(photo: RootedPath) -> UserMetadata:
    relative = Path(".comments", f"{photo.relative.name}.xml")
    try:
        with open_regular(_beside(photo, relative)) as stream:
            has_comment, rating = comment_in(stream.read(MOST_BYTES + 1))
    except PhotoChangedError:
        return UserMetadata()
    except (PhotoError, TagRefusedError) as error:
        return UserMetadata(unclear=f"{display_path(relative)}: {error}")
    return UserMetadata(
        stars=() if rating is None else (rating,), ratings_outside=(str(relative),) if has_comment else ()
    )


def _editor_settings(photo: RootedPath) -> UserMetadata:
    name = photo.relative.name
    try:
        candidates = [(folder / f"{name}.cos", "Capture One") for folder in _capture_one_folders(photo)]
        candidates.append((Path("NKSC_PARAM", f"{name}.nksc"), "Nikon"))
        found = [(path, program) for path, program in candidates if stamp_of(_beside(photo, path)) is not None]
    except PhotoError as error:
        return UserMetadata(unclear=str(error))
    return UserMetadata(
        edited_by=tuple(f"{program}: {display_path(path)}" for path, program in found),
        ratings_outside=tuple(str(path) for path, _ in found),
    )


def _capture_one_folders(photo: RootedPath) -> Iterator[Path]:
    """Yield the settings folders of the Capture One versions, relative to the folder of the photo."""
    try:
        descriptor = open_folder(photo.root, photo.relative.parent / _CAPTURE_ONE)
    except PhotoChangedError:
        return
    with translate_errors(photo.path.parent / _CAPTURE_ONE, "list"), folder_entries(descriptor) as entries:
        for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
            if entry.name.startswith("Settings") and entry.is_dir(follow_symlinks=False):
                yield _CAPTURE_ONE / entry.name


def _beside(photo: RootedPath, path: Path) -> RootedPath:
    return RootedPath(photo.root, photo.relative.parent / path)
