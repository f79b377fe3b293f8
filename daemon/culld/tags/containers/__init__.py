"""One parser for each container format, used to read photos, to write tags and to verify what was written.

The walks over a stream (`segments`, `png_chunks`, `riff_chunks`, `boxes`, `Ifds`) accept what they find and never load
the picture data. The readers of bytes (`read_jpeg`, `read_png`, `read_webp`, `read_tiff`) raise TagRefusedError for
every file that culld could not change without risk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NoReturn, Protocol

from culld.errors import TagRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culld.records import Edit
    from culld.tags.containers.exif_block import Block


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """What changes in the metadata of one file.

    `packet` holds the edits of the XMP packet, with offsets from its start; where the file has no packet, the one edit
    inserts all of it. `entries` maps tags of IFD0 to new values as bytes; None removes the entry. `new_block` is the
    EXIF block (without its `Exif` head) for a file that has none.
    """

    packet: tuple[Edit, ...] = ()
    entries: Mapping[int, bytes | None] = field(default_factory=dict)
    new_block: bytes | None = None


class Container(Protocol):
    """A whole file of one format that culld may change: its metadata, and the edits that replace them."""

    holds_keywords_in_exif: ClassVar[bool] = False
    """Whether culld writes XPKeywords into files of this format."""

    @property
    def packet(self) -> bytes | None:
        """The XMP packet, None if there is none; raises TagRefusedError."""

    @property
    def bytes_outside_metadata(self) -> bytes:
        """Every byte that no change of the metadata may change."""

    @property
    def headers_agree(self) -> bool:
        """Whether the headers of the container state truly which metadata it holds."""
        return True

    def exif_block(self) -> Block | None:
        """The EXIF block that holds XPKeywords, None if there is none; raises TagRefusedError."""
        return None

    def splice(self, change: MetadataChange) -> tuple[Edit, ...]:
        """The edits of the file, in ascending order; raises TagRefusedError where the metadata have no room."""


def refuse(reason: str, target: str = "the photo") -> NoReturn:
    """Raise TagRefusedError: `target` is left alone for `reason`."""
    raise TagRefusedError(reason, target)
