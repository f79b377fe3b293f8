"""Camera facts out of EXIF."""

from __future__ import annotations

import struct
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import piexif
import pytest
from hypothesis import given
from hypothesis import strategies as st

from culld.photos.facts import camera_facts
from culld.records import Camera, Exposure

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
    """OffsetTimeOriginal says where the camera's clock stood."""
    block = piexif.dump({"Exif": FULL["Exif"] | {piexif.ExifIFD.OffsetTimeOriginal: b"+02:00"}})

    assert camera_facts(block).taken_at == datetime(2024, 5, 6, 7, 8, 9, 250_000, timezone(timedelta(hours=2)))


def test_nonsense_values_say_nothing() -> None:
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
