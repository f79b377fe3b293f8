"""Decoding: from files to the network's frame."""

from __future__ import annotations

import io

import numpy as np
import piexif
import pillow_heif
import pytest
from PIL import Image

from culld.imaging.decode import Region, decode, decode_region, decode_upright, to_network_frame
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits, UnreadableError
from culld.records import Format
from culld.records.frame import HEIGHT, WIDTH
from harness import factories

LIMITS = DecodeLimits()


def decoded(data: bytes, format_: Format) -> np.ndarray:
    """The frame of a file."""
    return decode(io.BytesIO(data), format_, LIMITS)


def distance(left: np.ndarray, right: np.ndarray) -> float:
    """The mean absolute difference of two frames, in grey levels 0..255."""
    return float(np.abs(left.astype(float) - right.astype(float)).mean())


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_format_gives_the_same_picture(encoder: str) -> None:
    """The frame does not depend on the container, up to its compression."""
    image = factories.picture(1)
    options = {} if encoder in {"PNG", "TIFF"} else {"quality": 95}

    found = decoded(factories.encoded(image, encoder, **options), Format(encoder.lower()))

    assert found.shape == (HEIGHT, WIDTH, 3)
    assert found.dtype == np.uint8
    assert distance(found, to_network_frame(image)) < 4


def test_heic_gives_the_same_picture() -> None:
    """HEIC goes through its own decoder."""
    image = factories.picture(2)
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=90)

    assert distance(decoded(stream.getvalue(), Format.HEIF), to_network_frame(image)) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    """A photo with an orientation tag gives the frame of the rotated photo."""
    image = factories.picture(3)
    exif = piexif.dump({"0th": {piexif.ImageIFD.Orientation: orientation}})
    found = decoded(factories.encoded(image, exif=exif, quality=95), Format.JPEG)
    turned = Image.open(io.BytesIO(factories.encoded(image, exif=exif, quality=95)))

    assert distance(found, to_network_frame(turned)) < 3


def test_a_portrait_keeps_its_proportions() -> None:
    """A portrait is laid on its side, so that it is not squashed into a landscape."""
    landscape = factories.picture(4, size=(1024, 768))
    portrait = landscape.transpose(Image.Transpose.ROTATE_270)

    assert distance(to_network_frame(portrait), to_network_frame(landscape)) == 0


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    """Grey, palette, deep, transparent and print pictures all end as 8-bit RGB of like brightness."""
    image = factories.picture(5)
    if mode in {"I;16", "I"}:
        deep = np.asarray(image.convert("L")).astype(np.uint16) * 257
        source = Image.fromarray(deep) if mode == "I;16" else Image.fromarray(deep.astype(np.int32))
    else:
        source = image.convert("L").convert("F") if mode == "F" else image.convert(mode)

    found = to_network_frame(source)

    assert found.shape == (HEIGHT, WIDTH, 3)
    assert abs(float(found.mean()) - float(to_network_frame(image).mean())) < 12


def test_transparency_shows_white() -> None:
    """Transparent pixels have no colour of their own; paper shows through."""
    assert to_network_frame(Image.new("RGBA", (640, 480), (0, 0, 0, 0))).min() == 255


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_truncated_file_is_unreadable(encoder: str) -> None:
    """A file that lacks its second half is no picture, in any format."""
    data = factories.encoded(factories.picture(6), encoder)

    with pytest.raises(UnreadableError):
        decoded(data[: len(data) // 2], Format(encoder.lower()))


def test_a_picture_beyond_the_pixel_limit_is_refused() -> None:
    """The message names the setting that would allow it."""
    data = factories.encoded(factories.picture(7, size=(800, 600)))

    with pytest.raises(UnreadableError, match=r"800x600 .* limits.pixels"):
        decode(io.BytesIO(data), Format.JPEG, DecodeLimits(pixels=100_000))


def test_a_file_is_only_opened_by_the_decoder_of_its_format() -> None:
    """A PNG cannot reach the JPEG decoder, nor an unknown file any decoder."""
    data = factories.encoded(factories.picture(8, size=(64, 48)), "PNG")

    with pytest.raises(UnreadableError):
        decoded(data, Format.JPEG)
    with pytest.raises(UnreadableError, match="not a photo"):
        decoded(data, Format.UNKNOWN)


def test_a_photo_with_a_gain_map_is_read_as_its_first_picture() -> None:
    """Phones append a second picture; Pillow calls such a file MPO."""
    first, second = factories.picture(9), Image.new("RGB", (960, 720), "black")
    data = factories.encoded(first, "MPO", save_all=True, append_images=[second])

    assert distance(decoded(data, Format.JPEG), to_network_frame(first)) < 6


@pytest.mark.parametrize("container", [False, True])
def test_jpeg_xl_is_decoded_with_its_extra(*, container: bool) -> None:
    """As a bare stream and in its container; one that is cut short is not."""
    image = factories.picture(2, (640, 480))
    pytest.importorskip("pillow_jxl", reason="needs the extra `jxl`")
    data = factories.encoded(image, "JXL", quality=95, use_container=container)

    assert recognise(data[:HEAD_BYTES]) is Format.JXL
    assert distance(decoded(data, Format.JXL), to_network_frame(image)) < 4
    with pytest.raises(UnreadableError):
        decoded(data[: len(data) // 2], Format.JXL)


@pytest.mark.parametrize("encoder", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(224, 224), (96, 64), (1024, 768)])
def test_a_frame_can_have_any_size(encoder: str, size: tuple[int, int]) -> None:
    """For networks that take other frames; also larger ones than the photo."""
    image = factories.picture(10)
    options = {} if encoder == "PNG" else {"quality": 95}
    data = factories.encoded(image, encoder, **options)

    found = decode(io.BytesIO(data), Format(encoder.lower()), LIMITS, size)

    assert found.shape == (size[1], size[0], 3)
    assert distance(found, np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))) < 6


@pytest.mark.parametrize("encoder", ["JPEG", "PNG"])
def test_a_photo_is_decoded_upright_in_its_proportions(encoder: str) -> None:
    """In full, or smaller; never larger than it is."""
    image = factories.picture(11, (960, 640))
    exif = piexif.dump({"0th": {piexif.ImageIFD.Orientation: 6}})
    options = {} if encoder == "PNG" else {"quality": 95}
    data = factories.encoded(image, encoder, exif=exif, **options)
    upright = image.transpose(Image.Transpose.ROTATE_270)
    shapes = {}
    for longest in (None, 300, 5000):
        found = decode_upright(io.BytesIO(data), Format(encoder.lower()), LIMITS, longest)
        shapes[longest] = found.shape
        wanted = upright.copy()
        wanted.thumbnail((longest or 5000, longest or 5000), Image.Resampling.BILINEAR)
        assert distance(found, np.asarray(wanted)) < 6

    assert shapes == {None: (960, 640, 3), 300: (300, 200, 3), 5000: (960, 640, 3)}


@pytest.mark.parametrize("encoder", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [1, 3, 8])
def test_a_region_is_decoded_in_full_resolution(encoder: str, orientation: int) -> None:
    """Its coordinates are those of the upright photo."""
    image = factories.picture(12, (800, 600))
    exif = piexif.dump({"0th": {piexif.ImageIFD.Orientation: orientation}})
    options = {} if encoder == "PNG" else {"quality": 95}
    data = factories.encoded(image, encoder, exif=exif, **options)
    turn = {1: None, 3: Image.Transpose.ROTATE_180, 8: Image.Transpose.ROTATE_90}[orientation]
    upright = np.asarray(image if turn is None else image.transpose(turn))
    height, width, _ = upright.shape

    found = decode_region(io.BytesIO(data), Format(encoder.lower()), LIMITS, Region(0.25, 0.5, 0.125, 0.25))

    wanted = upright[height // 2 : height * 3 // 4, width // 4 : width * 3 // 8]
    assert found.shape == wanted.shape
    assert distance(found, wanted) < (4 if encoder == "JPEG" else 0.01)


def test_the_smallest_region_is_a_pixel_and_none_reaches_outside() -> None:
    """Coordinates are shares of the width and height."""
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)

    assert Region(0.9, 0.9, 1e-6, 1e-6).of(pixels).tolist() == pixels[3:, 4:].tolist()
    assert Region(0, 0, 1, 1).of(pixels).tolist() == pixels.tolist()
    for outside in ((-0.1, 0, 0.5, 0.5), (0.6, 0, 0.5, 0.5), (0, 0, 0, 0.5), (0, 0, float("nan"), 0.5)):
        with pytest.raises(ValueError, match="not inside"):
            Region(*outside)
