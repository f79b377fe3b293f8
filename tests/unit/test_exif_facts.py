"""Camera facts from EXIF."""

from __future__ import annotations

import struct
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import piexif
import pytest
from hypothesis import given
from hypothesis import strategies as st

from culld.records import Camera, Exposure
from culld.stages.read.exif_facts import camera_facts

FULL = {
    "0th": {piexif.ImageIFD.Model: b"Model X\0", piexif.ImageIFD.Orientation: 6},
    "Exif": {
        piexif.ExifIFD.ExposureTime: (1, 250),
        piexif.ExifIFD.FNumber: (28, 10),
        piexif.ExifIFD.ISOSpeedRatings: 400,
        piexif.ExifIFD.ExposureBiasValue: (-2, 3),
        piexif.ExifIFD.DateTimeOriginal: b"2024:05:06 07:08:09",
        piexif.ExifIFD.SubSecTimeOriginal: b"25",
        piexif.ExifIFD.FocalLength: (35, 1),
        piexif.ExifIFD.ExposureMode: 2,
    },
}


def test_the_facts_of_a_full_block_are_read() -> None:
    """Model, time, aperture, ISO, bias, date, orientation and the rest come out as numbers and moments."""
    expected = Camera(
        "Model X",
        datetime(2024, 5, 6, 7, 8, 9, 250_000, tzinfo=UTC),
        6,
        Exposure(1 / 250, 2.8, 400, -2 / 3),
        focal_mm=35.0,
        auto_bracket=True,
    )

    assert camera_facts(piexif.dump(FULL)) == expected


def test_a_time_zone_is_kept() -> None:
    """OffsetTimeOriginal holds the offset of the camera's clock."""
    block = piexif.dump({"Exif": FULL["Exif"] | {piexif.ExifIFD.OffsetTimeOriginal: b"+02:00"}})

    assert camera_facts(block).taken_at == datetime(2024, 5, 6, 7, 8, 9, 250_000, timezone(timedelta(hours=2)))


def test_nonsense_values_give_no_facts() -> None:
    """A division by zero, an orientation of 99 and a date of zeros are not facts."""
    block = piexif.dump(
        {
            "0th": {piexif.ImageIFD.Orientation: 99},
            "Exif": {piexif.ExifIFD.FNumber: (1, 0), piexif.ExifIFD.DateTimeOriginal: b"0000:00:00 00:00:00"},
        }
    )

    assert camera_facts(block) == Camera()


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_entry_that_claims_gigabytes_is_refused_before_they_are_allocated(order: str) -> None:
    """200 bytes of EXIF must not cost the worker its memory; found by the test below."""
    entry = struct.pack(order + "HHII", piexif.ImageIFD.Model, 2, 0xFFFFFFF0, 8)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    tracemalloc.start()

    found = camera_facts(b"Exif\0\0" + head + entry + bytes(100))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == Camera()
    assert peak < 1_000_000


def test_directories_that_lead_in_a_circle_end() -> None:
    """A pointer back to the first directory is damage, not a reason to read for ever."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)

    assert camera_facts(b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)) == Camera()


@given(st.binary(max_size=200), st.integers(0, 300))
def test_damaged_blocks_never_raise(noise: bytes, cut: int) -> None:
    """Whatever the bytes are, the answer is a Camera."""
    assert isinstance(camera_facts(b"Exif\0\0" + noise), Camera)
    assert isinstance(camera_facts(piexif.dump(FULL)[:cut] + noise), Camera)


@pytest.mark.parametrize(
    "moment",
    [b"0001:01:01 00:00:00", b"1899:12:31 23:59:59", b"2201:01:01 00:00:00", b"9999:12:31 23:59:59"],
)
@pytest.mark.parametrize("offset", [b"", b"+14:00", b"-14:00"])
def test_a_date_outside_of_photography_is_no_fact(moment: bytes, offset: bytes) -> None:
    """Programs write the first or last day of their calendar for a date that they do not know."""
    exif = {piexif.ExifIFD.DateTimeOriginal: moment, piexif.ExifIFD.OffsetTimeOriginal: offset}

    assert camera_facts(piexif.dump({"Exif": exif})).taken_at is None


@pytest.mark.parametrize("offset", [b".5", b",5", b":30", b"+1", b"+14:01", b"+99:00", b"+02:00:30", b"Z", b"   :  "])
def test_an_offset_of_another_form_is_no_time_zone(offset: bytes) -> None:
    """The moment is read as if the file had no offset, and always has a time zone."""
    block = piexif.dump({"Exif": FULL["Exif"] | {piexif.ExifIFD.OffsetTimeOriginal: offset}})

    assert camera_facts(block).taken_at == datetime(2024, 5, 6, 7, 8, 9, 250_000, tzinfo=UTC)


def test_a_time_zone_may_lie_west_of_greenwich() -> None:
    """The minus sign counts for the minutes, too."""
    block = piexif.dump({"Exif": FULL["Exif"] | {piexif.ExifIFD.OffsetTimeOriginal: b"-03:30"}})

    assert camera_facts(block).taken_at == datetime(
        2024, 5, 6, 7, 8, 9, 250_000, timezone(-timedelta(hours=3, minutes=30))
    )


def test_settings_that_no_camera_has_are_no_facts() -> None:
    """A negative exposure time, which has no logarithm, an aperture of four billion, and a bias of a million."""
    block = piexif.dump(
        {
            "0th": {piexif.ImageIFD.Model: b"X" * 60_000},
            "Exif": {
                piexif.ExifIFD.ExposureTime: (0xFFFFFFFF, 1),
                piexif.ExifIFD.FNumber: (1, 0xFFFFFFFF),
                piexif.ExifIFD.ExposureBiasValue: (1_000_000, 1),
                piexif.ExifIFD.FocalLength: (0, 1),
            },
        }
    )

    assert camera_facts(block) == Camera("X" * 200)


def signed_time(block: bytes) -> bytes:
    """The block with an exposure time of the type SRATIONAL, -1/250 s, which piexif itself does not write."""
    entry = struct.pack(">HHI", piexif.ExifIFD.ExposureTime, 5, 1)
    at = block.index(entry)
    (offset,) = struct.unpack_from(">I", block, at + 8)
    value = len(b"Exif\0\0") + offset
    signed = struct.pack(">HHI", piexif.ExifIFD.ExposureTime, 10, 1)
    patched = block.replace(entry, signed)
    return patched[:value] + struct.pack(">ii", -1, 250) + patched[value + 8 :]


def test_a_negative_exposure_time_gives_no_light_value() -> None:
    """The light value is then not known, and asking for it does not fail."""
    exposure = camera_facts(signed_time(piexif.dump(FULL))).exposure

    assert exposure == Exposure(None, 2.8, 400, -2 / 3)
    assert exposure.light_value is None
