"""The watcher with real events."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import CallbackId, InotifyConstants, Mask

from culld.stages.watch.events import Watcher
from culld.stages.watch.signals import DirtyFolder, LoopQueue, Signal, Wakeup


class Watched:
    """A root under watch, and the wake-ups that arrive."""

    def __init__(self, root: Path, config: Path) -> None:
        """Start watching."""
        self.root = root
        self.wakeups = LoopQueue()
        self.watcher = Watcher([root], config, self.wakeups)
        self.watcher.start()
        self.watcher.refresh()
        self.drain()

    def drain(self) -> set[Wakeup]:
        """Return all wake-ups until half a second passes without one."""
        seen: set[Wakeup] = set()
        while more := self.wakeups.take(timeout_s=0.5):
            seen |= more
        return seen

    def wait_for(self, wakeup: Wakeup) -> None:
        """Fail unless the wake-up comes within a minute: against a hang only, a busy machine takes its time."""
        deadline = time.monotonic() + 60
        while wakeup not in self.wakeups.take(timeout_s=0.2):
            assert time.monotonic() < deadline, f"{wakeup} did not come"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """An empty root that is being watched, with a configuration file beside it."""
    (tmp_path / "root").mkdir()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "culld.yaml").write_text("one")
    watched = Watched(tmp_path / "root", tmp_path / "etc" / "culld.yaml")
    yield watched
    watched.watcher.stop()


def test_a_written_file_wakes_the_loop_for_its_folder(watched: Watched) -> None:
    """The wake-up names the folder, not the file."""
    (watched.root / "a.jpg").write_bytes(b"x")

    watched.wait_for(DirtyFolder(watched.root, watched.root))


def test_a_file_moved_in_wakes_the_loop_for_its_folder(watched: Watched) -> None:
    """A move never closes a file, so closing alone would miss it."""
    outside = watched.root.parent / "b.jpg"
    outside.write_bytes(b"x")

    outside.rename(watched.root / "b.jpg")

    watched.wait_for(DirtyFolder(watched.root, watched.root))


def test_a_new_folder_wakes_the_loop_for_all_below_it(watched: Watched) -> None:
    """What was put into it before its watch stood gave no events."""
    (watched.root / "new").mkdir()

    watched.wait_for(DirtyFolder(watched.root, watched.root / "new", deep=True))


@pytest.mark.parametrize("read", [Path.read_bytes, Path.stat])
def test_reading_a_photo_causes_no_wakeup(watched: Watched, read: Callable[[Path], object]) -> None:
    """Otherwise culld would keep itself awake."""
    (watched.root / "a.jpg").write_bytes(b"x")
    watched.drain()

    read(watched.root / "a.jpg")

    assert watched.drain() == set()


@pytest.mark.parametrize("how", ["write", "replace"])
def test_saving_the_configuration_causes_a_reload(watched: Watched, how: str) -> None:
    """Editors write in place or rename a new file over the old one."""
    config = watched.root.parent / "etc" / "culld.yaml"
    if how == "write":
        config.write_text("two")
    else:
        (config.parent / "new").write_text("two")
        (config.parent / "new").replace(config)

    watched.wait_for(Signal.RELOAD)


def test_a_root_that_comes_back_is_watched_again(watched: Watched) -> None:
    """A new folder of the same name gets a new watch."""
    watched.root.rmdir()
    watched.watcher.refresh()

    watched.root.mkdir()
    watched.watcher.refresh()
    watched.drain()
    (watched.root / "a.jpg").write_bytes(b"x")

    watched.wait_for(DirtyFolder(watched.root, watched.root))


def test_a_watcher_whose_thread_died_is_restarted(watched: Watched) -> None:
    """Everything is scanned, since events may be missing, and new events arrive."""
    watched.watcher._observer._inotify.stop()
    watched.watcher._observer._inotify.join(5)

    watched.watcher.probe(now=0)
    watched.watcher.refresh()

    assert Signal.RESCAN in watched.drain()
    (watched.root / "a.jpg").write_bytes(b"x")
    watched.wait_for(DirtyFolder(watched.root, watched.root))


def test_a_root_that_went_away_does_not_restart_the_watcher(watched: Watched) -> None:
    """Its own thread ends with it; the others go on."""
    observer = watched.watcher._observer
    watched.root.rmdir()
    time.sleep(0.2)

    watched.watcher.probe(now=0)
    watched.watcher.refresh()

    assert watched.watcher._observer is observer


def test_a_watcher_that_gets_events_continues(watched: Watched) -> None:
    """The event of a probe arrives, and the probe changes nothing in the folder."""
    (watched.root / ".culld").mkdir()
    watched.drain()
    before = (watched.root / ".culld").stat()
    for now in (0, 30, 60):
        watched.watcher.probe(now)
        assert watched.drain() == set()

    after = (watched.root / ".culld").stat()
    assert (before.st_ctime_ns, before.st_atime_ns) == (after.st_ctime_ns, after.st_atime_ns)


class Stuck:
    """Holds the reading thread up, in the middle of an event."""

    def __init__(self) -> None:
        """Until it is over."""
        self.over = threading.Event()

    def on_event(self, event: object) -> None:
        """Wait."""
        self.over.wait()

    def on_watch_deleted(self, wd: object) -> None:
        """Nothing to do."""

    def on_queue_overflow(self) -> None:
        """Nothing to do."""


def test_a_watcher_that_gets_no_events_is_restarted(watched: Watched) -> None:
    """All its threads run, but the one that reads is blocked."""
    (watched.root / ".culld").mkdir()
    watched.drain()
    stuck = Stuck()
    mask = Mask(InotifyConstants.IN_CREATE | InotifyConstants.IN_MASK_ADD)
    watched.watcher._observer._inotify.add_callback(os.fsencode(watched.root), mask, stuck, CallbackId(1))
    (watched.root / "b.jpg").touch()
    watched.drain()
    watched.watcher.probe(now=0)
    watched.watcher.probe(now=1)
    assert watched.drain() == set()

    watched.watcher.probe(now=30)
    watched.watcher.refresh()
    stuck.over.set()

    assert Signal.RESCAN in watched.drain()
    (watched.root / "a.jpg").write_bytes(b"x")
    watched.wait_for(DirtyFolder(watched.root, watched.root))


def test_a_root_on_a_network_share_is_not_watched(watched: Watched) -> None:
    """Its events would report changes of this machine only, and the watches would need every folder of the share."""
    watched.watcher.refresh(remote_roots={watched.root})
    watched.drain()

    (watched.root / "a.jpg").write_bytes(b"x")
    assert watched.drain() == set()

    watched.watcher.refresh()
    watched.wait_for(DirtyFolder(watched.root, watched.root, deep=True))


def test_a_lost_event_makes_everything_be_scanned(watched: Watched) -> None:
    """The reading thread is held up until the queue of the system has overflowed."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 70_000:
        pytest.skip(f"the system's queue holds {limit} events: filling it takes too long")
    with watched.watcher._observer._inotify._lock:
        for number in range(limit + 10):
            (watched.root / str(number)).touch()

    watched.wait_for(Signal.RESCAN)


LIMITED = """
import sys, time
from pathlib import Path
from culld.stages.watch.signals import LoopQueue
from culld.stages.watch.events import Watcher
Path("/proc/sys/user/max_inotify_watches").write_text("20")
root = Path(sys.argv[1])
for number in range(50):
    (root / str(number)).mkdir()
watcher = Watcher([root], None, LoopQueue())
watcher.start()
watcher.refresh()
time.sleep(0.5)
print(watcher.unwatched)
watcher.stop()
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare (util-linux)")
def test_folders_that_cannot_be_watched_are_counted(tmp_path: Path) -> None:
    """In a user namespace of its own the limit can be set low without touching the machine."""
    command = ["unshare", "-Ur", sys.executable, "-c", LIMITED, tmp_path]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if "unshare" in done.stderr or "max_inotify_watches" in done.stderr:
        pytest.skip(f"needs the right to make a user namespace: {done.stderr.strip()[-100:]}")

    assert int(done.stdout) > 20
    assert done.stderr.count("limit of inotify watches is reached") == 1
