"""The stage `group` with what it needs: names in folders, and what was said before of a shot's other pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.disk.beneath import stamp_of
from culld.photos import stacks
from culld.service.listing import Listing
from culld.service.live import is_live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from culld.records import Assessment, Place, Stack, Stamp


@dataclass(frozen=True, slots=True)
class Grouping:
    """Puts photos together; `recall` tells what was said of a file that has this stamp, if it was judged before."""

    recall: Callable[[Place, Stamp], Assessment | None]

    def group(self, assessed: Sequence[Assessment]) -> list[Stack]:
        """The stacks of a batch; a shot of which a picture was judged before is judged anew as a whole.

        Raises PhotoError if the folder of a photo is gone.
        """
        listing = Listing()
        return stacks.group([*assessed, *self._judged_before(assessed, listing)], listing.beside, is_live)

    def _judged_before(self, assessed: Sequence[Assessment], listing: Listing) -> Iterator[Assessment]:
        """The pictures of the same shots that are not in the batch, and are what they were when they were judged."""
        known = {assessment.photo.place for assessment in assessed}
        for assessment in assessed:
            place = assessment.photo.place
            for name in listing.beside(place):
                other = place.beside(name)
                if other not in known and stacks.may_be_partners(place.relative.name, name):
                    known.add(other)
                    stamp = stamp_of(other)
                    before = None if stamp is None else self.recall(other, stamp)
                    yield from () if before is None else (before,)
