"""The whole way of a repaired copy: the key asks for it, the daemon makes it, and the page shows the file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from browser.conftest import Person, checked, record
from browser.test_real_photos import web
from harness.daemon_process import POLICY, House
from harness.scenes import Scene, jpeg

DARK = Scene(3, "under", size=(2400, 1600))
ASK = POLICY.replace("mode: enforce", "mode: enforce\n  enhance: ask")
_LIGHT = """() => {
  const image = document.querySelector("culld-photo .photos img:last-child");
  const canvas = new OffscreenCanvas(24, 16), drawn = canvas.getContext("2d");
  drawn.drawImage(image, 0, 0, 24, 16);
  return drawn.getImageData(0, 0, 24, 16).data.reduce((sum, value, at) => sum + (at % 4 < 3 ? value : 0), 0) / 1152;
}"""


def light(person: Person, *parts: str) -> float:
    """Return the mean grey level of the picture in view, whose address has these parts."""
    person.page.wait_for_function(
        "(parts) => { const image = document.querySelector('culld-photo .photos img:last-child');"
        " return image?.complete && image.naturalWidth && parts.every((part) => image.src.includes(part)); }",
        arg=list(parts),
    )
    return float(person.page.evaluate(_LIGHT))


@pytest.mark.slow
def test_copy_that_is_asked_for_by_key_is_made_and_shown(tmp_path: Path, context: BrowserContext) -> None:
    """Copy that is asked for by key is made and shown; a changed file is not, and a removed one is made again."""
    house = House(tmp_path).build(ASK)
    (house.inbox / "IMG_1.jpg").write_bytes(jpeg(DARK))
    house.culld("once")
    photo, copy = house.inbox / "IMG_1.jpg", house.inbox / "IMG_1.enhanced.jpg"
    before = photo.read_bytes()
    with house.daemon(), web(house) as link:
        person = record(context.new_page(), link.split("#")[0])
        person.page.goto(link)
        person.page.wait_for_selector(".tile.here")
        person.rests()
        person.presses("e").page.wait_for_selector("culld-photo .photos img")
        dark = light(person, "/preview")
        person.presses("b").hears("is asked for")
        person.page.wait_for_selector(".photos img[src*='copy=1']", timeout=60_000)
        lighter = light(person, "/preview", "copy=1")
        assert lighter > dark + 20
        assert photo.read_bytes() == before

        told = json.loads(house.culld("why", str(photo), "--json"))
        assert told["copy"]["digest"] == hashlib.sha256(copy.read_bytes()).hexdigest()
        person.presses("z").page.wait_for_selector(".photos .original[src*='copy=1']")
        person.presses("z", "Shift+B").page.wait_for_selector("culld-compare .photos img[src*='copy=1']")
        person.presses("Shift+B").page.wait_for_selector("culld-photo")

        person.expected = ("status of 404",)
        data = copy.read_bytes()
        copy.write_bytes(data + b"x")
        person.page.reload()
        person.page.wait_for_selector("culld-photo .photos img")
        person.presses("b").hears("not as culld made it")
        assert copy.read_bytes() == data + b"x"
        copy.unlink()
        person.presses("b").hears("is asked for")
        person.page.wait_for_selector(".photos img[src*='copy=1']", timeout=60_000)
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == told["copy"]["digest"]
        checked(person)
