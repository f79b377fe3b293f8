"""Making pictures, and the key under which the cache keeps them: it follows the content, not the path."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from culld.errors import PhotoError
from culld.files.open_beneath import stamp_of
from culld.web.copy_files import CHANGED_COPY
from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culld.app.review.photos import PhotoFile
    from culld.records import FileStat
    from culld.web.picture_requests import PictureRequest
    from culld.web.site import Site


async def key_now(file: PhotoFile) -> str:
    """Return the name of the file's content as it is now: its digest if it is the one that was judged."""
    try:
        stamp = await asyncio.to_thread(stamp_of, file.place)
    except PhotoError as error:
        raise ProblemError(409, f"{error}.") from error
    if stamp is None:
        raise ProblemError(410, "The photo is not at its path any more.")
    return key_of(file, stamp)


def key_of(file: PhotoFile, stamp: FileStat) -> str:
    """Return the name of the content of a file that has this stamp; raises ProblemError if it must not be shown."""
    if stamp == file.stamp:
        return file.digest
    if file.is_exact:
        raise ProblemError(404, CHANGED_COPY)
    return f"s{hashlib.sha256(repr(stamp).encode()).hexdigest()[1:]}"


async def made_pictures(site: Site, file: PhotoFile, names: Sequence[str], asked: PictureRequest) -> dict[str, bytes]:
    """Make pictures of a photo, keep them under a key of its content, and return them by their names.

    They are not kept if another program has changed the file while they were made.
    """
    key = await key_now(file)
    made = dict(zip(names, await site.pool.make(asked), strict=True))
    if await key_now(file) == key:
        for name, data in made.items():
            await asyncio.to_thread(site.cache.put, key, name, data)
    return made
