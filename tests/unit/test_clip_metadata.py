"""The part of a clip that is searched for metadata: wherever it is, and never the pictures."""

from __future__ import annotations

import io

import pytest

from culld.tags.clip_metadata import metadata_part

XMP = b"<?xpacket begin?><x:xmpmeta/><?xpacket end?>"


def box(kind: bytes, content: bytes = b"") -> bytes:
    """A box of an ISO file."""
    return (8 + len(content)).to_bytes(4) + kind + content


class Reads(io.BytesIO):
    """A file that counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        """Read, and count."""
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("order", [1, -1])
def test_the_boxes_beside_the_pictures_are_read_in_either_order(order: int) -> None:
    """Cameras write the index at the end."""
    index, pictures = box(b"moov", b"index") + box(b"uuid", XMP), box(b"mdat", b"p" * 1_000_000)
    stream = Reads(box(b"ftyp", b"qt  ") + b"".join([index, pictures][::order]))

    found = metadata_part(stream)

    assert XMP in found
    assert b"ppp" not in found
    assert stream.count < 10_000


def test_a_box_that_claims_too_much_is_left_out() -> None:
    """Memory has a limit, whatever the file claims."""
    stream = Reads(box(b"ftyp", b"qt  ") + box(b"moov", bytes(17 << 20)) + box(b"uuid", XMP))

    assert XMP in metadata_part(stream)
    assert stream.count < 1 << 20


def test_of_other_containers_the_beginning_and_the_end_are_read() -> None:
    """And each byte once."""
    small, large = b"\x1a\x45\xdf\xa3" + bytes(100) + XMP, b"\x1a\x45\xdf\xa3" + bytes(5 << 20) + XMP

    assert metadata_part(io.BytesIO(small)) == small
    assert metadata_part(io.BytesIO(large)).endswith(XMP)
    assert len(metadata_part(io.BytesIO(large))) == 2 << 20
