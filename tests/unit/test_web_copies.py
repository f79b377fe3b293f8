"""The repaired copy of a photo over HTTP: what is told about it, and that only the bytes of the journal are sent."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from culld.records import CopyState, RootedPath, Verdict
from harness import factories
from harness.review_library import API, CONFIG, Library, PoolHere

PHOTO = factories.encoded(factories.picture(1, (900, 600)))
COPY = factories.encoded(factories.picture(2, (900, 600)))
NAME = "IMG_1.enhanced.jpg"
PICTURES = ("thumb", "preview", "original", "crop?x=0&y=0&w=90&h=60", "heat?head=sharpness")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path)


def add(library: Library, **more: object) -> int:
    """Add a tagged photo."""
    return library.add(Verdict.TAG, name="IMG_1.jpg", data=PHOTO, **more)


def make_copy(library: Library, number: int, data: bytes = COPY, name: str = NAME) -> Path:
    """Write the copy of a photo and note it, as the daemon does."""
    place = RootedPath(library.folder / "photos", Path(name))
    place.path.write_bytes(data)
    with library.journal() as journal:
        journal.ask_for_copy(number)
        journal.begin_copy(number, place, hashlib.sha256(data).hexdigest(), "exposure", "it is better")
        journal.end_copy(number, CopyState.MADE, "it is better")
    return place.path


def at(number: int, picture: str) -> str:
    """The address of a picture of the copy."""
    return f"{API}/photos/{number}/{picture}{'&' if '?' in picture else '?'}copy=1"


def test_photo_without_a_copy_says_so_and_names_the_policy(library: Library) -> None:
    """Photo without a copy says so, and names the policy on copies."""
    (library.folder / "c.yaml").write_text(CONFIG.replace("enforce}", "enforce, enhance: ask}"))
    number = add(library)
    with library.client() as client:
        told = client.get(f"{API}/photos/{number}").json()
        assert (told["copy"], told["enhance"]) == (None, "ask")
        assert [client.get(at(number, each)).status_code for each in PICTURES] == [404] * len(PICTURES)


def test_copy_that_waits_has_no_name_and_no_picture(library: Library) -> None:
    """Copy that waits has no name and no picture."""
    number = add(library)
    with library.journal() as journal:
        journal.ask_for_copy(number)
    with library.client() as client:
        told = client.get(f"{API}/photos/{number}").json()
        assert told["copy"] == {"state": "waiting", "reason": "", "repair": "", "name": None, "digest": ""}
        assert told["enhance"] == "never"
        assert client.get(at(number, "preview")).status_code == 404


def test_copy_is_told_and_shown(library: Library) -> None:
    """Copy is told and shown: its facts, and each of its pictures, which differ from those of the photo."""
    number = add(library)
    make_copy(library, number)
    with library.client() as client:
        digest = hashlib.sha256(COPY).hexdigest()
        told = client.get(f"{API}/photos/{number}").json()["copy"]
        assert told == {
            "state": "made",
            "reason": "it is better",
            "repair": "exposure",
            "name": NAME,
            "digest": digest,
        }
        assert client.get(at(number, "original")).content == COPY
        for picture in PICTURES:
            found, photo = client.get(at(number, picture)), client.get(f"{API}/photos/{number}/{picture}")
            assert found.status_code == photo.status_code == 200
            assert found.content != photo.content
            assert found.headers["ETag"].startswith(f'"{digest[:32]}')
        fixed = client.get(at(number, "thumb") + f"&d={digest}")
        assert "immutable" in fixed.headers["Cache-Control"]
        assert client.get(at(number, "thumb"), headers={"If-None-Match": fixed.headers["ETag"]}).status_code == 304


def spoil(path: Path) -> None:
    """Change a byte, and keep the time of change."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_a_link(path: Path) -> None:
    """Put a link to the same bytes in its place."""
    path.rename(path.with_name("elsewhere.jpg"))
    path.symlink_to(path.with_name("elsewhere.jpg"))


def replace_by_a_pipe(path: Path) -> None:
    """Put a pipe in its place, which must not be waited for."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [spoil, replace_by_a_link, replace_by_a_pipe, Path.unlink])
def test_file_that_is_not_the_copy_any_more_is_not_shown(library: Library, change: object) -> None:
    """File that is not the copy any more is not shown, also not from the cache."""
    assert callable(change)
    number = add(library)
    path = make_copy(library, number)
    with library.client() as client:
        assert all(client.get(at(number, each)).status_code == 200 for each in PICTURES)
        change(path)
        for picture in PICTURES:
            answer = client.get(at(number, picture))
            assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
            assert "removed or changed" in answer.json()["detail"]


def test_copy_that_is_replaced_while_its_picture_is_made_is_not_shown(library: Library) -> None:
    """Copy that is replaced while its picture is made is not shown."""
    number = add(library)
    path = make_copy(library, number)

    class Slow(PoolHere):
        async def make(self, request: object) -> list[bytes]:
            made = await super().make(request)  # type: ignore[arg-type]
            spoil(path)
            return made

    with library.client(pool=Slow()) as client:
        assert client.get(at(number, "thumb")).status_code == 404


def test_copy_that_is_no_jpeg_is_not_shown(library: Library) -> None:
    """Copy that is no JPEG is not shown, although its digest is that of the journal."""
    number = add(library)
    png = io.BytesIO()
    Image.new("RGB", (90, 60)).save(png, "PNG")
    make_copy(library, number, png.getvalue())
    with library.client() as client:
        assert [client.get(at(number, each)).status_code for each in PICTURES] == [404] * len(PICTURES)


def test_copy_stays_with_the_photo_that_is_judged_again(library: Library) -> None:
    """Copy stays with the photo that is judged again, but not with another photo of that path."""
    first = add(library)
    make_copy(library, first)
    again = add(library)
    other = library.add(Verdict.TAG, name="IMG_1.jpg", data=PHOTO + b"x")
    with library.client() as client:
        assert client.get(f"{API}/photos/{again}").json()["copy"]["name"] == NAME
        assert client.get(at(again, "original")).content == COPY
        assert client.get(f"{API}/photos/{other}").json()["copy"] is None
        assert client.get(at(other, "original")).status_code == 404


def test_wish_for_a_copy_is_taken(library: Library) -> None:
    """Wish for a copy is taken: it is on the disk, for the daemon."""
    number = add(library)
    wish = {"id": "0b6a2f4e-8c1d-4a7b-9e3f-5d2c1b0a9f8e", "kind": "enhance", "policy": "", "seen_count": 1}
    with library.client() as client:
        answer = client.post(f"{API}/wishes", json=wish | {"items": [{"decision": number, "state": "tagged"}]})
        assert answer.status_code == 202
    assert (library.state / "wishes" / f"{wish['id']}.json").exists()


@pytest.mark.parametrize("value", ["2", "yes", ""])
def test_other_value_of_copy_is_refused(library: Library, value: str) -> None:
    """Other value of copy is refused."""
    number = add(library)
    with library.client() as client:
        assert client.get(f"{API}/photos/{number}/thumb?copy={value}").status_code == 422


def test_copies_need_a_login(library: Library) -> None:
    """Copies need a login."""
    number = add(library)
    make_copy(library, number)
    with library.client(login=False) as client:
        assert {client.get(at(number, each)).status_code for each in PICTURES} == {401}
