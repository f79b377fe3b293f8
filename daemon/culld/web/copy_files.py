"""The files of repaired copies that the page may show: only those with the digest that the journal holds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from culld.app.review.copies import jpeg_digest
from culld.errors import PhotoError
from culld.files.open_beneath import stamp_of
from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from culld.app.review.photos import PhotoFile
    from culld.records import FileStat, RootedPath

NO_COPY: Final = "There is no repaired copy of this photo."
CHANGED_COPY: Final = "The repaired copy was removed or changed; ask for a new one."
_MOST_KNOWN: Final = 1000


@dataclass(slots=True)
class CopyFiles:
    """Compares copies with their digests; a file is read again only if its stamp changed.

    Files of more than `largest` bytes are refused.
    """

    largest: int
    _known: dict[RootedPath, tuple[FileStat, str]] = field(default_factory=dict)

    async def checked(self, file: PhotoFile | None) -> PhotoFile:
        """Return the file of a copy with its stamp; raises ProblemError (404) if it is not the copy of the journal."""
        if file is None:
            raise ProblemError(404, NO_COPY)
        try:
            stamp, digest = await asyncio.to_thread(self._look, file.place)
        except PhotoError as error:
            raise ProblemError(404, CHANGED_COPY) from error
        if digest != file.digest:
            raise ProblemError(404, CHANGED_COPY)
        return replace(file, stamp=stamp)

    def _look(self, place: RootedPath) -> tuple[FileStat, str]:
        known = self._known.get(place)
        if known is None or stamp_of(place) != known[0]:
            known = jpeg_digest(place, self.largest)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[place] = known
        return known
