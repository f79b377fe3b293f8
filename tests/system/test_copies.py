"""Repaired copies in the background, with the installed command and the networks that ship."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from culld.tags.own_properties import PARENT_DIGEST
from harness import factories, scenes
from harness.daemon_process import COMMAND, House

POLICY = """\
watch:
  - path: inbox
quarantine: quarantine
state: state
settle: {quiet: 300ms}
batch: {wait: 200ms}
rescan: 5s
workers: 1
policy:
  mode: enforce
  enhance: rejects
  brake: {max_share: never}
  defects: {under: {tag: 0.5, reject: 0.6}}
"""
SIZE = (720, 480)
DARK = [factories.encoded(scenes.picture(scenes.Scene(seed, "under", size=SIZE)), quality=92) for seed in (3, 11)]
FINE = factories.encoded(scenes.picture(scenes.Scene(4, size=SIZE)), quality=96)
COPIES = {"a.enhanced.jpg", "b.enhanced.jpg"}


@pytest.fixture
def dark_house(tmp_path: Path) -> House:
    """Two dark photos and a good one."""
    house = House(tmp_path / "house").build(POLICY)
    for name, data in (("a.jpg", DARK[0]), ("b.jpg", DARK[1]), ("fine.jpg", FINE)):
        house.drop(name, data)
    return house


def files(house: House) -> set[str]:
    """The names in the watched folder, hidden ones among them."""
    return {path.name for path in house.inbox.iterdir()} - {".culld"}


def states(house: House) -> list[str]:
    """The states of the copies."""
    return [state for (state,) in house.ask("SELECT state FROM copy ORDER BY decision")]


def require_whole_copies(house: House) -> None:
    """Each copy ends as a JPEG does, and names its photo."""
    for path in house.inbox.glob("*.enhanced.jpg"):
        data = path.read_bytes()
        assert data.endswith(b"\xff\xd9")
        assert PARENT_DIGEST.encode() in data


@pytest.mark.slow
def test_once_makes_the_copies_of_rejects_and_restore_takes_everything_back(dark_house: House) -> None:
    """What `why` and `status` say of them, and what a dry run says."""
    before = dark_house.photos(dark_house.inbox)

    dark_house.culld("once")

    assert dark_house.photos(dark_house.quarantine).keys() == {"a.jpg", "b.jpg"}
    assert COPIES < files(dark_house)
    require_whole_copies(dark_house)
    told = json.loads(dark_house.culld("why", "--json", str(dark_house.inbox / "a.jpg")))["copy"]
    path = dark_house.inbox / "a.enhanced.jpg"
    assert (told["state"], told["repair"], told["path"], told["by_person"]) == ("made", "exposure", str(path), False)
    assert f"copy        made, {path}: the copy is no longer" in dark_house.culld(
        "why", str(dark_house.quarantine / "a.jpg")
    )
    assert json.loads(dark_house.culld("why", "--json", str(dark_house.inbox / "fine.jpg")))["copy"] is None
    assert json.loads(dark_house.culld("status", "--json"))["copies"] == 0
    assert f"would remove  {path}" in dark_house.culld("restore", "--untag", "--all", "--dry-run")

    lines = [json.loads(line) for line in dark_house.culld("restore", "--untag", "--all", "--json").splitlines()]

    assert {"copy": str(path), "note": "", "fault": None} in lines
    assert dark_house.photos(dark_house.inbox) == before
    assert files(dark_house) == set(before)
    assert states(dark_house) == ["removed", "removed"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_daemon_that_is_killed_at_any_moment_leaves_whole_copies_and_makes_the_rest(dark_house: House) -> None:
    """It is killed when a photo was moved, while one is repaired, and after the first copy."""
    before = dark_house.photos(dark_house.inbox)

    moments: list[Callable[[], bool]] = [
        lambda: bool(states(dark_house)),
        lambda: (dark_house.inbox / "a.enhanced.jpg").exists() or "made" in states(dark_house),
        lambda: "made" in states(dark_house),
    ]
    for is_time in moments:
        with dark_house.daemon() as process:
            dark_house.wait_until(is_time, "the moment")
            process.send_signal(signal.SIGKILL)
            process.wait()
        require_whole_copies(dark_house)
    with dark_house.daemon():
        dark_house.wait_until(lambda: states(dark_house) == ["made", "made"], "the copies")
        dark_house.culld("restore", "--untag", "--all")

    require_whole_copies(dark_house)
    assert dark_house.photos(dark_house.inbox) == before
    assert files(dark_house) == set(before)


@pytest.mark.slow
def test_a_repair_process_that_is_killed_is_replaced(dark_house: House) -> None:
    """The copies are made all the same, and the daemon goes on."""
    with dark_house.daemon() as process:
        dark_house.wait_until(lambda: bool(idle_children(process.pid)), "a process of the lowest priority")
        os.kill(idle_children(process.pid)[0], signal.SIGKILL)
        dark_house.wait_until(lambda: states(dark_house) == ["made", "made"], "the copies")
    require_whole_copies(dark_house)


@pytest.mark.slow
def test_the_process_that_repairs_is_nice(dark_house: House) -> None:
    """The daemon itself and its workers are not."""
    with dark_house.daemon() as process:
        dark_house.wait_until(lambda: states(dark_house) == ["made", "made"], "the copies")
        assert len(idle_children(process.pid)) == 1
        assert len(children_of(process.pid)) > 1
        assert nice_of(process.pid) != 19


def children_of(pid: int) -> list[int]:
    """The processes that a process started, from any of its threads."""
    listed: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # the thread has ended
            listed += map(int, (task / "children").read_text().split())
    return listed


def idle_children(pid: int) -> list[int]:
    """Those of the lowest priority."""
    return [child for child in children_of(pid) if nice_of(child) == 19]


def nice_of(pid: int) -> int | None:
    """The nice value of a process; None if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16])
    except (FileNotFoundError, ProcessLookupError):
        return None


@pytest.mark.slow
def test_once_shows_a_bar_for_copies(dark_house: House) -> None:
    """After that of the photos."""
    terminal, other_end = os.openpty()
    try:
        words = [COMMAND, "once", "--config", dark_house.config]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=other_end, check=False, timeout=100)
        shown = os.read(terminal, 1 << 20)
    finally:
        os.close(other_end)
        os.close(terminal)

    assert done.returncode == 0, shown
    assert b"culling" in shown
    assert b"repairing" in shown
