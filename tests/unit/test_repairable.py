"""Pictures for a repair: what is decoded, what is refused, and what a file made of the result keeps."""

from __future__ import annotations

import io

import numpy as np
import piexif
import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from culld.imaging.image_file import UnreadableError
from culld.imaging.repairable import NotRepairableError, doubled, encoded, open_repairable, require_holds
from culld.records import Format
from harness import factories

PICTURE = factories.picture(1, (64, 48))
MOST = 10_000
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


def described(format_: str, **options: object) -> bytes:
    """A file with an orientation, a thumbnail, a size in EXIF, a profile and XMP."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Nikon"
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.ExifImageWidth], inner[ExifTags.Base.ExifImageHeight] = 64, 48
    block = exif.tobytes()
    return factories.encoded(PICTURE, format_, exif=block, icc_profile=PROFILE, **options)


def reopened(data: bytes) -> Image.Image:
    """The picture of a file."""
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("format_", [Format.JPEG, Format.PNG, Format.WEBP])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_file_keeps_the_metadata_of_the_picture(source: str, format_: Format, scale: int) -> None:
    """Orientation, profile, EXIF and XMP; the size in the EXIF block is that of the new file."""
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    given = described(source, **({"pnginfo": info} if source == "PNG" else {"xmp": XMP}))
    picture = open_repairable(given, MOST)

    found = reopened(encoded(picture, doubled(picture.pixels) if scale == 2 else picture.pixels, format_))

    assert found.size == (64 * scale, 48 * scale)
    assert found.format == format_.upper()
    assert found.info["icc_profile"] == PROFILE
    assert XMP in found.info["xmp"]
    exif = found.getexif()
    assert (exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make]) == (6, "Nikon")
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    assert (inner[ExifTags.Base.ExifImageWidth], inner[ExifTags.Base.ExifImageHeight]) == found.size


def test_the_thumbnail_is_left_out() -> None:
    """It would show the picture before the repair."""
    thumbnail = factories.encoded(PICTURE.resize((16, 12)))
    block = piexif.dump({"0th": {piexif.ImageIFD.Make: b"Nikon"}, "1st": {}, "thumbnail": thumbnail})
    given = factories.encoded(PICTURE, exif=block)
    assert piexif.load(given)["thumbnail"] is not None
    picture = open_repairable(given, MOST)

    found = encoded(picture, picture.pixels, Format.JPEG)

    assert piexif.load(found)["thumbnail"] is None
    assert piexif.load(found)["0th"][piexif.ImageIFD.Make] == b"Nikon"


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\1" * 40]
)
def test_a_damaged_exif_block_is_no_reason_to_refuse_a_picture(exif: bytes) -> None:
    """The file is written without it."""
    picture = open_repairable(factories.encoded(PICTURE, exif=exif), MOST)

    assert reopened(encoded(picture, picture.pixels, Format.JPEG)).size == (64, 48)


def test_an_exif_block_that_no_jpeg_holds_is_left_out() -> None:
    """WebP holds more than one segment of a JPEG."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "x" * 70_000
    picture = open_repairable(factories.encoded(PICTURE, "WEBP", exif=exif.tobytes()), MOST)

    assert not reopened(encoded(picture, picture.pixels, Format.JPEG)).getexif()
    assert reopened(encoded(picture, picture.pixels, Format.WEBP)).getexif()


@pytest.mark.parametrize("format_", [Format.PNG, Format.WEBP])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_kept(format_: Format, mode: str) -> None:
    """It is not repaired; JPEG cannot hold it."""
    alpha = Image.linear_gradient("L").resize(PICTURE.size)
    if mode == "P":
        image, options = PICTURE.quantize(16), {"transparency": 3}
    else:
        image, options = PICTURE.convert(mode), {}
        image.putalpha(alpha)
    wanted = np.asarray(reopened(factories.encoded(image, "PNG", **options)).convert("RGBA").getchannel("A"))
    picture = open_repairable(factories.encoded(image, "PNG", **options), MOST)

    found = reopened(encoded(picture, picture.pixels, format_))

    assert np.array_equal(np.asarray(found.convert("RGBA").getchannel("A")), wanted)
    assert reopened(encoded(picture, doubled(picture.pixels), format_)).size == (128, 96)
    with pytest.raises(NotRepairableError, match="transparent"):
        require_holds(picture, Format.JPEG, 1)


@pytest.mark.parametrize(("mode", "wanted"), [("L", "L"), ("1", "L"), ("P", "RGB"), ("RGB", "RGB")])
def test_a_picture_without_colour_stays_without(mode: str, wanted: str) -> None:
    """One channel comes, one goes."""
    picture = open_repairable(factories.encoded(PICTURE.convert(mode), "PNG"), MOST)

    assert picture.pixels.shape == (48, 64, 3)
    assert reopened(encoded(picture, picture.pixels, Format.PNG)).mode == wanted


def test_what_was_lossless_stays_lossless() -> None:
    """Of WebP; a PNG always is."""
    picture = open_repairable(factories.encoded(PICTURE, "WEBP", lossless=True), MOST)

    found = reopened(encoded(picture, picture.pixels, Format.WEBP)).convert("RGB")

    assert np.array_equal(np.asarray(found), picture.pixels)


def test_the_encoder_undoes_little_of_a_repair() -> None:
    """JPEG files have high quality, and colour in full resolution."""
    picture = open_repairable(factories.encoded(PICTURE, quality=10), MOST)

    found = reopened(encoded(picture, picture.pixels, Format.JPEG))

    assert np.abs(np.asarray(found, int) - picture.pixels).mean() < 2
    assert found.layer[0][1:3] == found.layer[1][1:3] == (1, 1)


def test_the_second_picture_of_a_file_is_left_out_with_the_xmp_that_names_it() -> None:
    """Phones store a gain map; the first picture is the photo."""
    given = factories.encoded(PICTURE, "MPO", save_all=True, append_images=[PICTURE.resize((8, 6))], xmp=XMP)
    picture = open_repairable(given, MOST)

    found = reopened(encoded(picture, picture.pixels, Format.JPEG))

    assert (found.format, found.size) == ("JPEG", (64, 48))
    assert "xmp" not in found.info


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"text", "not a picture"),
        (factories.encoded(PICTURE, "TIFF"), "TIFF is not repaired here"),
        (factories.encoded(PICTURE)[:-200], "damaged"),
        (factories.encoded(PICTURE, "PNG")[:40], "damaged"),
    ],
)
def test_what_cannot_be_read_is_told_apart(data: bytes, text: str) -> None:
    """From what could be read, and is refused."""
    with pytest.raises(UnreadableError, match=text):
        open_repairable(data, MOST)


@pytest.mark.parametrize(
    ("image", "format_", "text"),
    [
        (PICTURE.resize((101, 100)), "JPEG", "101x100 pixels are more than the 10000"),
        (PICTURE.resize((1000, 2)), "PNG", "too long for squares of 32"),
        (PICTURE.convert("CMYK"), "JPEG", "CMYK"),
        (Image.fromarray(np.zeros((8, 8), np.uint16)), "PNG", "16 bits"),
    ],
)
def test_what_is_not_repaired_is_named(image: Image.Image, format_: str, text: str) -> None:
    """With what to send instead."""
    with pytest.raises(NotRepairableError, match=text):
        open_repairable(factories.encoded(image, format_), MOST, narrowest=32)
