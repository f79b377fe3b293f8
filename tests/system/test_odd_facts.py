"""Photos with impossible EXIF values are judged like all others."""

from __future__ import annotations

import struct

import piexif
import pytest

from harness import factories
from harness.daemon_process import House

ODD = {
    "first-day.jpg": {piexif.ExifIFD.DateTimeOriginal: b"0001:01:01 00:00:00"},
    "first-day-east.jpg": {
        piexif.ExifIFD.DateTimeOriginal: b"0001:01:01 00:00:00",
        piexif.ExifIFD.OffsetTimeOriginal: b"+01:00",
    },
    "last-day.jpg": {piexif.ExifIFD.DateTimeOriginal: b"9999:12:31 23:59:59"},
    "no-zone.jpg": {
        piexif.ExifIFD.DateTimeOriginal: b"2024:05:06 07:08:09",
        piexif.ExifIFD.OffsetTimeOriginal: b".5",
    },
    "negative.jpg": {
        piexif.ExifIFD.ExposureTime: (0xFFFFFFFF, 250),
        piexif.ExifIFD.FNumber: (4, 1),
        piexif.ExifIFD.ISOSpeedRatings: 100,
    },
    "sound.jpg": {piexif.ExifIFD.DateTimeOriginal: b"2024:05:06 07:08:09"},
}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_photos_with_impossible_facts_are_judged_beside_the_others(house: House) -> None:
    """Dates at the ends of the calendar, an offset that is none, and an exposure time of less than nothing."""
    for seed, (name, exif) in enumerate(ODD.items()):
        block = piexif.dump({"Exif": exif})
        signed = block.replace(
            struct.pack(">HHI", piexif.ExifIFD.ExposureTime, 5, 1),
            struct.pack(">HHI", piexif.ExifIFD.ExposureTime, 10, 1),
        )
        house.drop(name, factories.encoded(factories.blurred(factories.picture(seed)), exif=signed))

    assert house.culld("once") == f"{len(ODD)} quarantined\n"
    assert set(house.photos(house.quarantine)) == set(ODD)
