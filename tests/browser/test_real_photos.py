"""The whole way on real photos: culld judges them, the page shows them, keys answer, the daemon carries it out."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from browser.conftest import checked, record
from harness.daemon_process import COMMAND, House

BLURRED = 12


@contextmanager
def web(house: House) -> Iterator[str]:
    """Serve the review page of a house; the address with its login code."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [COMMAND, "web", "--config", house.config, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        said = ""
        while "#login=" not in said:
            line = process.stdout.readline()
            assert line, f"culld web ended: {said}"
            said += line
        found = re.search(r"http://\S+", said)
        assert found
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.mark.slow
def test_photos_are_restored_and_confirmed_by_keys_alone(tmp_path: Path, shared: Path, context: BrowserContext) -> None:
    """Photos are restored and confirmed by keys alone."""
    house = House(tmp_path).build()
    for photo in sorted((shared / "more/blur").glob("apiobuild*.jpg"))[:BLURRED]:
        shutil.copy(photo, house.inbox)
    original = house.photos(house.inbox)
    house.culld("once")
    rejected = house.photos(house.folder / "quarantine")
    assert len(rejected) >= 3
    with house.daemon(), web(house) as link:
        person = record(context.new_page(), link.split("#")[0])
        person.expected = ("/heat?",)  # until the heat maps are served
        person.page.goto(link)
        person.page.wait_for_selector(".tile.here")
        person.rests()
        person.page.goto(person.address + "#/grid?verdict=rejected")
        person.page.wait_for_selector(".tile[data-state=rejected] img")
        person.presses("e")
        person.page.wait_for_selector(".photos img")
        person.page.wait_for_function("() => document.querySelector('.photos img').naturalWidth > 320")
        back = person.page.inner_text("#why .name")
        person.presses("p").hears("brought back").settled()
        house.wait_until((house.inbox / back).exists, "the photo came back")
        assert house.photos(house.inbox)[back] == original[back]
        person.presses("x").hears("right").settled()
        assert [row[0] for row in house.ask("SELECT answer FROM answer")] == ["right"]
        person.presses("Control+z", "Control+z").settled()
        house.wait_until(lambda: not (house.inbox / back).exists(), "the photo went again")
        assert house.photos(house.folder / "quarantine")[back] == rejected[back]
        assert not house.ask("SELECT answer FROM answer")
        checked(person)
