"""The pictures of the page: their sizes and colours, what is refused, and the cache."""

from __future__ import annotations

import io
import os
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from culld.errors import PhotoError
from culld.records import RootedPath, Verdict
from culld.web.heat import Heat
from culld.web.picture_cache import PictureCache
from culld.web.pictures import PictureWorker, clipping_map, sharpness_map
from harness import factories
from harness.review_library import API, Library, PoolHere

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path)


@pytest.fixture
def worker() -> PictureWorker:
    """A worker with small limits."""
    return PictureWorker(pixels=4_000_000, file_size=3_000_000)


def place(folder: Path, data: bytes, name: str = "a.jpg") -> RootedPath:
    """A file."""
    (folder / name).write_bytes(data)
    return RootedPath(folder, Path(name))


def opened(data: bytes) -> Image.Image:
    """A picture that was made."""
    return Image.open(io.BytesIO(data))


def test_sizes_come_from_one_decode_upright_and_with_their_profile(worker: PictureWorker, tmp_path: Path) -> None:
    """Orientation 6 is turned; the longer side has the length that was asked for, and is never enlarged."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = factories.picture(1, (1200, 800))
    data = factories.encoded(picture, exif=exif, icc_profile=SRGB)
    made = worker.sizes(place(tmp_path, data), (2048, 320, 640))
    assert not isinstance(made, PhotoError)

    assert [opened(each).size for each in made] == [(800, 1200), (213, 320), (427, 640)]
    assert all(opened(each).info["icc_profile"] == SRGB for each in made)
    assert all("exif" not in opened(each).info for each in made)
    expected = np.asarray(picture.rotate(-90, expand=True).resize((213, 320)), np.int16)
    assert np.abs(np.asarray(opened(made[1]), np.int16) - expected).mean() < 9


@pytest.mark.parametrize(
    ("mode", "format_", "options"),
    [
        ("RGBA", "PNG", {}),
        ("L", "JPEG", {}),
        ("P", "PNG", {}),
        ("I;16", "PNG", {}),
        ("CMYK", "JPEG", {}),
        ("1", "PNG", {}),
        ("RGB", "WEBP", {}),
        ("RGB", "TIFF", {}),
        ("L", "PNG", {"icc_profile": SRGB}),
    ],
)
def test_every_kind_of_photo_becomes_rgb(
    worker: PictureWorker, tmp_path: Path, mode: str, format_: str, options: dict[str, object]
) -> None:
    """A profile of three colours is kept with RGB."""
    image = Image.new("I;16", (64, 48), 30_000) if mode == "I;16" else factories.picture(1, (64, 48)).convert(mode)
    made = worker.sizes(place(tmp_path, factories.encoded(image, format_, **options)), (32,))

    assert not isinstance(made, PhotoError), made
    assert (opened(made[0]).mode, opened(made[0]).size) == ("RGB", (32, 24))


def test_a_profile_of_another_colour_model_is_not_kept(worker: PictureWorker, tmp_path: Path) -> None:
    """A grey profile does not fit three colours."""
    grey = bytearray(SRGB)
    grey[16:20] = b"GRAY"
    data = factories.encoded(Image.new("L", (64, 48), 100), icc_profile=bytes(grey))
    made = worker.sizes(place(tmp_path, data), (32,))

    assert not isinstance(made, PhotoError)
    assert "icc_profile" not in opened(made[0]).info


def bomb() -> bytes:
    """A PNG of 900 megapixels in a few hundred bytes of header and one line."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 30_001))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (bomb(), "a.png", "30000x30000 pixels are more than limits.pixels allows"),
        (b"x" * 3_000_001, "a.jpg", "larger than limits.file_size"),
        (b"hello", "a.jpg", "not a photo"),
        (b"", "a.jpg", "not a photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "not a photo"),
        (factories.encoded(factories.picture(1))[:9000], "a.jpg", "damaged"),
    ],
    ids=["bomb", "large", "text", "empty", "svg", "cut off"],
)
def test_what_cannot_be_shown_is_refused(
    worker: PictureWorker, tmp_path: Path, data: bytes, name: str, text: str
) -> None:
    """As an error that is sent back, not raised; the worker goes on."""
    where = place(tmp_path, data, name)
    for answer in (worker.sizes(where, (320,)), worker.crop(where, (0, 0, 9, 9)), worker.map(where, "clipping")):
        assert isinstance(answer, PhotoError)
        assert text in str(answer)
    (tmp_path / "link.jpg").symlink_to(tmp_path / name)
    assert isinstance(worker.sizes(RootedPath(tmp_path, Path("link.jpg")), (320,)), PhotoError)


def test_a_crop_is_a_part_in_full_resolution(worker: PictureWorker, tmp_path: Path) -> None:
    """Beyond the edge it is cut; the decoded photo is kept for the next crop, but not for a changed file."""
    picture = factories.picture(3, (600, 400))
    where = place(tmp_path, factories.encoded(picture, quality=95))
    (made,) = worker.crop(where, (100, 50, 200, 100))
    (edge,) = worker.crop(where, (590, 390, 200, 100))
    expected = np.asarray(picture.crop((100, 50, 300, 150)), np.int16)

    assert np.abs(np.asarray(opened(made), np.int16) - expected).mean() < 9
    assert opened(edge).size == (10, 10)
    where.path.write_bytes(factories.encoded(Image.new("RGB", (50, 50), "red")))
    (again,) = worker.crop(where, (0, 0, 200, 200))
    assert opened(again).size == (50, 50)


def test_clipped_pixels_are_marked_by_channel(worker: PictureWorker, tmp_path: Path) -> None:
    """0 is transparent, 1 to 7 the clipped channels, 8 black; a single pixel of a large photo is not lost."""
    pixels = np.full((100, 2050, 3), 128, np.uint8)
    pixels[0, 0] = (255, 10, 10)
    pixels[50, 1000] = (255, 255, 255)
    pixels[99, 2049] = (0, 0, 0)
    pixels[60, 2049] = (0, 0, 20)
    codes = np.asarray(opened(clipping_map(pixels)))

    assert codes.shape == (33, 683)
    assert codes[0, 0] == 1
    assert codes[16, 333] == 7
    assert set(np.unique(codes)) <= {0, 1, 7, 8}
    assert opened(clipping_map(pixels)).info["transparency"] == 0


def test_the_map_of_sharpness_is_bright_where_edges_are_narrow() -> None:
    """And 0 where there are none."""
    sharp, soft = factories.picture(2, (256, 256)), factories.blurred(factories.picture(2, (256, 256)), 4)
    both = Image.new("RGB", (768, 256), (120, 120, 120))
    both.paste(sharp, (0, 0))
    both.paste(soft, (256, 0))
    grey = np.asarray(opened(sharpness_map(np.asarray(both))), np.float64)
    third = grey.shape[1] // 3

    assert grey[:, :third].mean() > 1.5 * grey[:, third : 2 * third].mean()
    assert not grey[:, -third + 2 :].any()
    assert opened(sharpness_map(np.zeros((5, 5, 3), np.uint8))).size == (1, 1)


def test_pictures_are_made_once(library: Library) -> None:
    """The preview brings the thumbnails with it; an address with the digest is fixed for ever."""
    number = library.add(Verdict.QUARANTINE, data=factories.encoded(factories.picture(1, (3600, 2400))))
    pool = PoolHere()
    with library.client(pool=pool) as client:
        preview = client.get(f"{API}/photos/{number}/preview")
        assert opened(preview.content).size == (2048, 1365)
        assert pool.made == 1
        digest = client.get(f"{API}/photos/{number}").json()["digest"]
        thumb = client.get(f"{API}/photos/{number}/thumb?size=640&d={digest}")
        assert (opened(thumb.content).size, pool.made) == ((640, 427), 1)
        assert thumb.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert preview.headers["cache-control"] == "private, no-cache"
        assert preview.headers["content-type"] == "image/jpeg"
        other = client.get(f"{API}/photos/{number}/thumb?d={'0' * 64}")
        assert other.headers["cache-control"] == "private, no-cache"
        again = client.get(f"{API}/photos/{number}/thumb?size=640", headers={"If-None-Match": thumb.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        large = client.get(f"{API}/photos/{number}/preview?size=3072")
        assert (opened(large.content).size, pool.made) == ((3072, 2048), 2)
        head = client.head(f"{API}/photos/{number}/thumb")
        assert (head.status_code, head.content) == (200, b"")
        assert client.get(f"{API}/photos/{number}/thumb?size=5000").status_code == 422


def test_a_changed_file_is_shown_as_it_is_and_not_kept_under_the_old_digest(library: Library) -> None:
    """Another program has edited it since."""
    number = library.add(Verdict.TAG, data=factories.encoded(Image.new("RGB", (400, 300), "red")))
    with library.client() as client:
        digest = client.get(f"{API}/photos/{number}").json()["digest"]
        (library.folder / "photos" / "IMG_1.jpg").write_bytes(factories.encoded(Image.new("RGB", (400, 300), "blue")))
        answer = client.get(f"{API}/photos/{number}/thumb?d={digest}")
        original = client.get(f"{API}/photos/{number}/original?d={digest}")

    assert opened(answer.content).getpixel((5, 5))[2] > 200
    for each in (answer, original):
        assert each.headers["cache-control"] == "private, no-cache"
        assert digest[:32] not in each.headers["etag"]


@pytest.mark.parametrize("kind", ["thumb", "preview", "original", "crop?x=0&y=0&w=9&h=9", "heat?head=clipping"])
def test_a_photo_that_is_gone_is_said_to_be(library: Library, kind: str) -> None:
    """And one that is a link now is not followed."""
    number = library.add(Verdict.TAG, data=factories.encoded(factories.picture(1, (64, 48))))
    file = library.folder / "photos" / "IMG_1.jpg"
    with library.client() as client:
        file.rename(library.folder / "elsewhere.jpg")
        assert client.get(f"{API}/photos/{number}/{kind}").status_code in {409, 410}
        file.symlink_to(library.folder / "elsewhere.jpg")
        assert client.get(f"{API}/photos/{number}/{kind}").status_code in {409, 410}
        file.unlink()
        os.mkfifo(file)
        assert client.get(f"{API}/photos/{number}/{kind}").status_code in {409, 410}


def test_a_folder_that_became_a_link_is_not_followed(library: Library, tmp_path: Path) -> None:
    """The link is put there between the look-up and the opening, from the view of the page."""
    number = library.add(Verdict.TAG, name="2026/a.jpg", data=factories.encoded(factories.picture(1, (64, 48))))
    (library.folder / "photos" / "2026").rename(tmp_path / "secret")
    (library.folder / "photos" / "2026").symlink_to(tmp_path / "secret")
    with library.client() as client:
        for kind in ("original", "thumb"):
            answer = client.get(f"{API}/photos/{number}/{kind}")
            assert answer.status_code in {409, 410}, answer.text


def test_the_original_in_parts(library: Library) -> None:
    """With ranges, the type that culld recognised, and a name that cannot break out of its header."""
    data = factories.encoded(factories.picture(1, (640, 480)))
    number = library.add(Verdict.QUARANTINE, name='a";\r\nX: y é.jpg', data=data)
    path = f"{API}/photos/{number}/original"
    with library.client() as client:
        whole = client.get(path)
        assert whole.content == data
        assert whole.headers["content-type"] == "image/jpeg"
        assert whole.headers["content-disposition"] == "inline; filename*=UTF-8''a%22%3B%0D%0AX%3A%20y%20%C3%A9.jpg"
        etag = whole.headers["etag"]
        for given, start, stop in (
            ("0-9", 0, 10),
            (f"5-{10**17}", 5, len(data)),
            ("-7", -7, None),
            ("100-", 100, None),
        ):
            part = client.get(path, headers={"Range": f"bytes={given}"})
            assert (part.status_code, part.content) == (206, data[start:stop])
        assert client.get(path, headers={"Range": "bytes=0-0"}).headers["content-range"] == f"bytes 0-0/{len(data)}"
        for given in (f"{len(data)}-", "-0", "9-5"):
            refused = client.get(path, headers={"Range": f"bytes={given}"})
            assert (refused.status_code, refused.headers["content-range"]) == (416, f"bytes */{len(data)}")
        for given in ("bytes=0-1,5-6", "bytes=-", "bytes=x-", "lines=0-1", "bytes=0-1,"):
            assert client.get(path, headers={"Range": given}).content == data
        assert client.get(path, headers={"Range": "bytes=0-9", "If-Range": etag}).status_code == 206
        assert client.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).content == data
        assert client.get(path, headers={"If-None-Match": f'"x", W/{etag}'}).status_code == 304
        head = client.head(path)
        assert (head.headers["content-length"], head.content) == (str(len(data)), b"")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jpg", b"<html><script>1</script>"),
        ("a.svg", b"<svg onload='1' xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.tif", factories.encoded(factories.picture(1, (64, 48)), "TIFF")),
        ("a.dng", factories.encoded(factories.picture(1, (64, 48)), "TIFF")),
    ],
)
def test_other_originals_are_not_sent(library: Library, name: str, data: bytes) -> None:
    """Neither what a browser would run nor what it cannot show."""
    number = library.add(Verdict.QUARANTINE, name=name, data=data)
    with library.client() as client:
        assert client.get(f"{API}/photos/{number}/original").status_code == 415


def test_an_empty_original(library: Library) -> None:
    """It is no photo of any format."""
    number = library.add(Verdict.QUARANTINE, data=b"")
    with library.client() as client:
        assert client.get(f"{API}/photos/{number}/original").status_code == 415


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("crop?x=1&y=1&w=20&h=10", 200),
        ("crop?x=1&y=1&w=20", 422),
        ("crop?x=1&y=1&w=0&h=10", 422),
        ("crop?x=-1&y=1&w=10&h=10", 422),
        ("crop?x=1&y=1&w=5000&h=10", 422),
        ("crop?x=1&y=1&w=1e3&h=10", 422),
        ("heat?head=clipping", 200),
        ("heat?head=sharpness", 200),
        ("heat?head=blur", 422),
        ("heat?head=focus", 404),
        ("heat?head=../x", 404),
        ("heat", 404),
    ],
)
def test_parts_and_maps(library: Library, query: str, status: int) -> None:
    """An unknown map is not found; that of a defect is refused where no network explains it."""
    number = library.add(Verdict.QUARANTINE, data=factories.encoded(factories.picture(1, (640, 480))))
    with library.client() as client:
        answer = client.get(f"{API}/photos/{number}/{query}")

    assert answer.status_code == status, answer.text
    if query.startswith("crop") and status == 200:
        assert opened(answer.content).size == (20, 10)


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    """The least recently used pictures go; what is used stays."""
    cache = PictureCache(tmp_path, limit=100_000)
    for number in range(50):
        cache.put(f"{number:064x}", "320.jpg", bytes(10_000))
        for file in tmp_path.glob("??/*"):
            if file.name.startswith(f"{number:064x}"[2:]):
                os.utime(file, (time.time() - 100_000 + number, time.time() - 100_000 + number))
        cache.get(f"{0:064x}", "320.jpg")
    files = list(tmp_path.glob("??/*"))

    assert 50_000 < sum(file.stat().st_size for file in files) <= 102_000
    assert cache.get(f"{0:064x}", "320.jpg") == bytes(10_000)
    assert cache.get(f"{1:064x}", "320.jpg") is None
    assert cache.get(f"{49:064x}", "320.jpg") == bytes(10_000)


def test_unfinished_files_are_swept(tmp_path: Path) -> None:
    """Those of a process that ended; a younger one may still be written."""
    cache = PictureCache(tmp_path, limit=100_000)
    cache.put("ab" * 32, "320.jpg", b"1")
    old, young = tmp_path / "ab" / ".x.part", tmp_path / "ab" / ".y.part"
    for file in (old, young):
        file.write_bytes(b"")
    os.utime(old, (1, 1))
    cache.sweep()

    assert not old.exists()
    assert young.exists()


def test_a_cache_that_cannot_be_written_costs_only_speed(tmp_path: Path) -> None:
    """As on a full disk."""
    (tmp_path / "file").write_text("")
    cache = PictureCache(tmp_path / "file", limit=100_000)
    cache.put("ab" * 32, "320.jpg", b"1")

    assert cache.get("ab" * 32, "320.jpg") is None
    with pytest.raises(ValueError, match="file name"):
        cache.put("../../x", "320.jpg", b"")


class Heats:
    """Explains photos, except the second one."""

    def heat(self, place: RootedPath, head: str) -> Heat:
        """A map of one pixel."""
        if place.relative.name == "IMG_2.jpg":
            raise PhotoError("it has no pixels")
        return Heat(factories.encoded(Image.new("L", (1, 1)), "PNG"), 2.5 if head == "blur" else -1.0, 0.924142)


def test_a_map_of_the_network_has_its_figures_beside_it(library: Library) -> None:
    """Also from the cache, and not for a photo that cannot be explained."""
    data = factories.encoded(factories.picture(1, (64, 48)))
    first = library.add(Verdict.QUARANTINE, data=data)
    second = library.add(Verdict.QUARANTINE, data=factories.encoded(factories.picture(2, (64, 48))))
    pool = PoolHere(Heats)
    with library.client(pool=pool) as client:
        for _ in range(2):
            answer = client.get(f"{API}/photos/{first}/heat?head=blur")
            assert answer.status_code == 200
            assert (answer.headers["x-logit"], answer.headers["x-probability"]) == ("2.5", "0.924142")
            assert opened(answer.content).size == (1, 1)
        assert pool.made == 1
        same = client.get(f"{API}/photos/{first}/heat?head=blur", headers={"If-None-Match": answer.headers["etag"]})
        assert same.status_code == 304
        assert client.get(f"{API}/photos/{first}/heat?head=focus").status_code == 404
        assert client.get(f"{API}/photos/{second}/heat?head=blur").status_code == 422


class Regions:
    """Segments photos, except the second one."""

    def regions(self, place: RootedPath) -> bytes:
        """No region."""
        if place.relative.name == "IMG_2.jpg":
            raise PhotoError("it has no pixels")
        return b'{"classes":[]}'


def test_the_regions_of_a_photo_are_made_once_and_a_refusal_is_said_in_words(library: Library) -> None:
    """The second answer comes from the cache; a page without a network says so."""
    data = factories.encoded(factories.picture(1, (64, 48)))
    first = library.add(Verdict.QUARANTINE, data=data)
    second = library.add(Verdict.QUARANTINE, data=factories.encoded(factories.picture(2, (64, 48))))
    pool = PoolHere(None, Regions)
    with library.client(pool=pool) as client:
        for _ in range(2):
            answer = client.get(f"{API}/photos/{first}/regions?d={'ab' * 32}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["cache-control"] == "private, no-cache"
            assert answer.json() == {"classes": []}
        assert pool.made == 1
        same = client.get(f"{API}/photos/{first}/regions", headers={"If-None-Match": answer.headers["etag"]})
        assert same.status_code == 304
        refused = client.get(f"{API}/photos/{second}/regions")
        assert (refused.status_code, refused.json()["detail"]) == (422, "it has no pixels")
    with library.client(pool=PoolHere()) as client:
        refused = client.get(f"{API}/photos/{second}/regions")
        assert (refused.status_code, refused.json()["detail"]) == (422, "no network segments it")
