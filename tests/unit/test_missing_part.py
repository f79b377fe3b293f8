"""The missing part of a photo whose structure announces more bytes than the file has."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from culld.imaging import image_file
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.records import Format
from culld.stages.read.completeness import is_complete, missing_part
from culld.tags.containers.gcontainer import bytes_behind
from culld.tags.containers.jpeg import EOI, segments
from harness import containers, factories, raw_files

CUTS = 60


def lacks(data: bytes, name: str = "") -> str:
    """Return what is missing from these bytes."""
    return missing_part(io.BytesIO(data), recognise(data[:HEAD_BYTES], name))


def whole(data: bytes, name: str = "") -> bool:
    """Return whether these bytes pass for a whole photo."""
    return is_complete(io.BytesIO(data), recognise(data[:HEAD_BYTES], name)) and not lacks(data, name)


def cuts(data: bytes) -> set[int]:
    """Return the offsets at which to cut a file: anywhere, around its end, and behind the first picture of a JPEG."""
    dice = random.Random(len(data))  # noqa: S311
    found = {dice.randrange(HEAD_BYTES, len(data)) for _ in range(CUTS)} | {len(data) - 1, len(data) - 9}
    ends = [each.end for each in segments(io.BytesIO(data)) if each.marker == EOI]
    if data.startswith(b"\xff\xd8") and ends and ends[0] < len(data):
        found |= {dice.randrange(ends[0], len(data)) for _ in range(CUTS)} | {ends[0]}
    return found


def picture(encoder: str, **options: object) -> bytes:
    """A small picture as an encoder writes it."""
    if encoder == "HEIF":
        image_file.load_heif()
    return factories.encoded(factories.picture(3, size=(96, 64)), encoder, **options)


def several(encoder: str) -> bytes:
    """Three pictures in one file."""
    return picture(encoder, save_all=True, append_images=[factories.picture(seed, size=(96, 64)) for seed in (4, 5)])


MADE: dict[str, Callable[[], bytes]] = {
    "motion photo": containers.motion_photo,
    "motion photo with padding": lambda: containers.motion_photo(17),
    "motion photo in elements": lambda: containers.motion_photo(17, elements=True),
    "micro video": containers.micro_video,
    "micro video in elements": lambda: containers.micro_video(elements=True),
    "mpf": containers.multi_picture,
    "mpf, big endian": lambda: containers.multi_picture(">"),
    "three pictures": lambda: several("MPO"),
    "tiff": lambda: picture("TIFF"),
    "tiff, lzw": lambda: picture("TIFF", compression="tiff_lzw"),
    "tiff, jpeg": lambda: picture("TIFF", compression="jpeg"),
    "webp with exif": lambda: picture("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "webp": lambda: picture("WEBP", lossless=True),
    "png": lambda: picture("PNG"),
    "avif": lambda: picture("AVIF"),
    "heic": lambda: picture("HEIF"),
    "heic motion photo": lambda: containers.heic_motion_photo(picture("HEIF")),
}


@pytest.mark.parametrize("kind", MADE)
def test_a_file_lacks_nothing_when_it_is_whole_and_something_wherever_it_is_cut(kind: str) -> None:
    """Within the picture, between the pictures, and before the last byte."""
    data = MADE[kind]()
    boundary = {len(picture("HEIF"))} if kind == "heic motion photo" else set()  # it is a whole photo without a movie

    assert whole(data)
    assert [cut for cut in sorted(cuts(data) - boundary) if whole(data[:cut])] == []


def test_a_raw_made_like_tiff_lacks_what_its_directories_name(tmp_path: Path) -> None:
    """Sensor data and previews; bytes that follow them do not matter."""
    data = raw_files.dng(factories.picture(1, size=(96, 64)), preview=factories.picture(1, size=(96, 64)))

    assert whole(data, "a.dng")
    assert whole(data + bytes(100), "a.dng")
    assert [cut for cut in sorted(cuts(data)) if whole(data[:cut], "a.dng")] == []


def test_pages_of_a_tiff_are_all_counted() -> None:
    """Pillow ends the file with up to four bytes of filling."""
    data = several("TIFF")

    assert whole(data)
    assert [cut for cut in sorted(cuts(data)) if cut < len(data) - 4 and whole(data[:cut])] == []


def test_the_text_gives_both_sizes() -> None:
    """So that the reason can be checked."""
    data = containers.micro_video()

    assert lacks(data[:-100]) == (
        f"its structure needs {len(data):,} bytes or more, but the file has {len(data) - 100:,}"
    )


def test_more_bytes_than_announced_do_not_matter() -> None:
    """Card readers fill up with zeros."""
    assert whole(containers.motion_photo() + bytes(3000))
    assert whole(containers.multi_picture() + bytes(3000))


@pytest.mark.parametrize(
    "text",
    [
        b"not XML Item:Length http://ns.google.com/photos/1.0/container/item/",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + containers.listed(5000),
        containers.listed(5000)[:-20],
        containers.packet("GCamera:MicroVideoOffset='minus one'"),
        containers.packet("GCamera:MicroVideoOffset='99999999999999999999999999999999'"),
        containers.packet("", "<rdf:li/>" * 5000 + "<GCamera:MicroVideoOffset>5</GCamera:MicroVideoOffset>"),
        containers.packet('GCamera:MotionPhoto="1"'),
    ],
)
def test_xmp_without_a_valid_length_announces_nothing(text: bytes) -> None:
    """Broken, hostile, or of another kind."""
    assert bytes_behind(text) == 0


def test_the_length_of_the_primary_itself_does_not_count() -> None:
    """Some programs give it, and it is not behind the primary."""
    text = containers.listed(700).replace(b'Item:Length="0"', b'Item:Length="123456"')

    assert bytes_behind(text) == 700


def test_a_directory_that_leads_in_a_circle_ends() -> None:
    """And one with an unlikely number of entries is ignored."""
    entry = struct.pack("<HHII", 330, 4, 1, 8)
    circle = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 8)
    crowd = b"II*\0" + struct.pack("<IH", 8, 60000) + bytes(5000)

    assert lacks(circle) == ""
    assert lacks(crowd) == ""


def test_lists_that_lie_outside_of_the_file_are_missing() -> None:
    """The list of strips is read before the strips can be."""
    fields = struct.pack("<HHII", 273, 4, 3000, 200) + struct.pack("<HHII", 279, 4, 3000, 12200)
    data = b"II*\0" + struct.pack("<IH", 8, 2) + fields + bytes(500)

    assert "24,200 bytes" in lacks(data)


@pytest.mark.parametrize("format_", list(Format))
def test_any_bytes_at_all_are_answered(format_: Format) -> None:
    """Any other file gives some result and raises nothing."""
    dice = random.Random(7)  # noqa: S311
    heads = [
        b"",
        b"\xff\xd8\xff\xe1",
        b"II*\0\x08\0\0\0",
        b"MM\0*\0\0\0\x08",
        b"RIFF\0\0\0\0WEBP",
        b"\0\0\0\x18ftypheic",
    ]
    for _ in range(150):
        data = dice.choice(heads) + dice.randbytes(dice.randrange(200))
        assert isinstance(missing_part(io.BytesIO(data), format_), str)


@pytest.mark.parametrize("kind", MADE)
def test_single_bytes_that_are_wrong_raise_nothing(kind: str) -> None:
    """Lengths, counts and offsets of every kind among them."""
    data, dice = bytearray(MADE[kind]()), random.Random(11)  # noqa: S311
    for _ in range(200):
        place, value = dice.randrange(4, min(len(data), 900)), dice.choice((0, 1, 127, 255))
        before, data[place] = data[place], value
        whole(bytes(data))
        data[place] = before


FOLDERS = ["camera", "more/raw", "more/sharp", "more/blur", "more/under", "more/over"]


@pytest.mark.parametrize("name", FOLDERS)
def test_real_whole_files_lack_nothing(shared: Path, name: str) -> None:
    """Phones, cameras, editors, web sites."""
    files = [path for path in sorted((shared / name).rglob("*")) if path.is_file()]
    if not files:
        pytest.skip(f"needs photographs in {name}")
    wrong = []
    for path in files:
        with path.open("rb") as stream:
            if text := missing_part(stream, recognise(stream.read(HEAD_BYTES), path.name)):
                wrong.append((path.name, text))

    assert wrong == []


def test_real_ultra_hdr_and_heic_lack_something_wherever_they_are_cut(shared: Path) -> None:
    """Also between the end of the first picture and that of the file."""
    for path in [*(shared / "camera/ultrahdr").glob("*"), *(shared / "camera/heic").glob("*")]:
        data = path.read_bytes()
        assert (path.name, [cut for cut in sorted(cuts(data)) if whole(data[:cut])]) == (path.name, [])


def test_real_raw_files_that_are_cut_lack_something(shared: Path) -> None:
    """A DNG, an ARW and a CR3."""
    for path in (shared / "more/raw_cut").glob("*.*"):
        assert lacks(path.read_bytes(), path.name)
