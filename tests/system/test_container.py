"""The image of culld: built from a Debian, and run as compose.yaml says, by a plain user on a read-only root."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from harness import factories
from harness.container_engine import COMPOSE, CONTAINERFILE, REPO, Engine, NoEngineError, composed, engine, missing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OWNER = 4711
"""A user who is in no /etc/passwd."""

PHOTOS = 50
BLURRED = 15
FETCH = """
from urllib.request import Request, urlopen
print(urlopen(Request("http://127.0.0.1:8466/", headers={"Host": "nas.local:8466"})).status)
"""
PAGE = REPO / "docs" / "container.md"


@dataclass(frozen=True)
class House:
    """The folders of the two volumes, and podman with the image."""

    podman: Engine
    photos: Path
    state: Path

    def composed(self, service: str) -> list[str]:
        """What compose.yaml says of a service, for these folders and this owner, and the image."""
        owner = {"PUID": str(OWNER), "PGID": str(OWNER)}
        return [*composed(service, {"PHOTOS": str(self.photos), "STATE": str(self.state)} | owner), "localhost/culld"]

    def once(self, *command: str, typed: str | None = None) -> str:
        """Run a command of culld in a container of its own, as `compose run --rm culld ...` does."""
        return self.podman.run("run", "--rm", "-i", *self.composed("culld"), *command, typed=typed).stdout

    def start(self, service: str) -> None:
        """Start a service in the background; the container has its name."""
        command = yaml.safe_load(COMPOSE.read_text())["services"][service].get("command", [])
        self.podman.run("run", "--detach", f"--name={service}", *self.composed(service), *command)

    def inside(self, *command: str, service: str = "culld") -> subprocess.CompletedProcess[str]:
        """Run a command in the container of a service."""
        return self.podman.run("exec", service, *command, check=False)

    def counts(self) -> dict[str, int]:
        """The decisions so far, by verdict; empty before the journal is there."""
        done = self.inside("culld", "status", "--json")
        return dict(json.loads(done.stdout)["counts"]) if done.returncode == 0 else {}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two folders of a user, and the image, built from a Debian."""
    if why := missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("container")
    found = House(Engine(folder), folder / "photos", folder / "state")
    (found.photos / "import").mkdir(parents=True)
    found.state.mkdir()
    for path in (found.photos, found.photos / "import", found.state):
        os.chown(path, OWNER, OWNER)
    try:
        with engine(folder) as podman:
            podman.build("localhost/debian", "localhost/culld")
            yield found
    except NoEngineError as error:
        pytest.skip(str(error))


def drop(house: House) -> None:
    """Copy photos into the watched folder, from outside of the container; of each ten three are blurred."""
    for number in range(PHOTOS):
        picture = factories.picture(number)
        data = factories.encoded(factories.blurred(picture) if number % 10 < 3 else picture, quality=85)
        file = house.photos / "import" / f"{number}.jpg"
        file.write_bytes(data)
        os.chown(file, OWNER, OWNER)


def health() -> str:
    """The command of the health check."""
    (text,) = re.findall(r"^HEALTHCHECK .*CMD (.*)$", CONTAINERFILE.read_text(), re.MULTILINE)
    return str(text)


def wait(house: House, what: str, is_true: Callable[[], bool], seconds: float = 120) -> None:
    """Fail unless it becomes true in time, with the log of the container."""
    deadline = time.monotonic() + seconds
    while not is_true():
        log = house.podman.run("logs", "culld", check=False)
        assert time.monotonic() < deadline, f"{what} did not happen\n{log.stdout}{log.stderr}"
        time.sleep(0.5)


def assert_page_is_served(house: House) -> None:
    """In a container of its own, to the name that the configuration has; its volume of photos is read-only."""
    config = house.state / "config.yaml"
    config.write_text(config.read_text() + "web: {hosts: [nas.local]}\n")
    house.once("web", "password", typed="a long password\n")
    house.start("web")
    wait(house, "the review page", lambda: house.inside("python3", "-c", FETCH, service="web").stdout == "200\n")
    assert house.inside("touch", "/photos/x", service="web").returncode != 0
    assert "#login=" in house.inside("culld", "web", "--link", service="web").stdout


def test_a_drop_of_photos_is_judged_and_reviewed_in_containers_without_rights(house: House) -> None:
    """From the first configuration to the restored photos, with the commands of docs/container.md.

    The root is read-only, there are no capabilities and no network, and the user has no account. One test, because two
    processes of the tests would build the image twice.
    """
    assert "wrote /state/config.yaml" in house.once("init", "import")
    config = house.state / "config.yaml"
    config.write_text(config.read_text().replace("mode: observe", "mode: enforce"))

    house.start("culld")
    wait(house, "the health of the container", lambda: house.inside("sh", "-c", health()).returncode == 0)
    drop(house)
    wait(house, f"{PHOTOS} decisions", lambda: sum(house.counts().values()) == PHOTOS)

    assert house.counts() == {"keep": PHOTOS - BLURRED, "tag": 0, "quarantine": BLURRED, "unreadable": 0}
    moved = list((house.photos / "Quarantine").glob("*.jpg"))
    assert len(moved) == BLURRED
    written = [path for path in (*house.photos.rglob("*"), *house.state.rglob("*")) if path != config]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in written} == {(OWNER, OWNER)}
    assert house.inside("touch", "/opt/culld/x").returncode != 0
    assert house.once("restore", "--all").count("restored") >= BLURRED
    assert len(list((house.photos / "import").glob("*.jpg"))) == PHOTOS
    assert_page_is_served(house)
    house.podman.run("stop", "culld")
    assert house.podman.run("inspect", "--format={{.State.ExitCode}}", "culld").stdout.strip() == "0"


def said(start: str) -> list[list[str]]:
    """The words after `start` of each command of docs/container.md."""
    blocks = re.findall(r"^```sh container\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith(start)]
    return [shlex.split(line.removeprefix(start), comments=True) for line in lines]


def test_the_page_says_what_was_run() -> None:
    """The commands of culld are those of the test above, and the image is built from the same file."""
    assert said("docker compose run --rm culld ") == [["init", "import"], ["restore", "--all"], ["web", "password"]]
    assert said("docker compose exec culld culld ") == [["status"]]
    assert said("docker compose exec web culld ") == [["web", "--link"]]
    ((file, *rest),) = said("podman build --format docker -f ")
    assert (REPO / file, rest) == (CONTAINERFILE, ["-t", "culld", "."])


def test_both_files_check_the_health_in_the_same_way() -> None:
    """OCI images, which podman builds unless told otherwise, have no health check: compose needs its own."""
    check = yaml.safe_load(COMPOSE.read_text())["services"]["culld"]["healthcheck"]
    options = " ".join(f"--{name.replace('_', '-')}={value}" for name, value in check.items() if name != "test")

    assert check["test"] == ["CMD-SHELL", health()]
    assert f"HEALTHCHECK {options} CMD " in CONTAINERFILE.read_text()
