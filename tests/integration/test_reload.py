"""A policy that is saved again and again while photos come in."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from culld.app.daemon import Daemon
from culld.app.model_files import resolve_policies
from culld.app.service_status import ServiceStatus
from culld.clock import SystemClock
from culld.config import Config, load_config
from culld.journal.store import SqliteJournal
from culld.records import Assessment, Format, Photo, Scores, UserMetadata, Verdict
from culld.stages.read import ReadRequest, UserMetadataRequest
from culld.stages.watch.signals import LoopQueue, Signal
from culld.system.sd_notify import Notifier
from culld.tags.draft import TagDraft, TagRequest
from harness import fakes

RELOADS = 1000

HEAD = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
settle: {quiet: 100ms}
batch: {wait: 0s, size: 4}
policy:
  brake: {max_share: never}
"""
POLICIES = {
    Verdict.TAG: HEAD + "  mode: observe\n",
    Verdict.QUARANTINE: HEAD + "  mode: enforce\n",
    Verdict.KEEP: HEAD + "  mode: enforce\n  rules: [{name: all, when: blur > 0, action: keep}]\n",
}


class FakeWorker:
    """Every file is a blurred photo."""

    def read(self, request: ReadRequest) -> Assessment:
        """Certainly blurred; its digest is that of its bytes."""
        snapshot = request.snapshot
        digest = hashlib.sha256(snapshot.place.path.read_bytes()).hexdigest()
        return Assessment(Photo(snapshot.place, snapshot.stamp, digest, Format.JPEG), Scores(0.99, 0, 0), "model@1")

    def user_metadata(self, _request: UserMetadataRequest) -> UserMetadata:
        """There is no user metadata."""
        return UserMetadata()

    def draft(self, _request: TagRequest) -> TagDraft:
        """Nothing is written."""
        return TagDraft((), ())


class Counting(logging.Handler):
    """Counts the log lines about a new policy."""

    def __init__(self) -> None:
        """None so far."""
        super().__init__(logging.INFO)
        self.count = 0
        self.changed = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """One more, if it is one."""
        if "is in force" in record.getMessage():
            self.count += 1
            self.changed.set()


def serve(config: Path, loaded: Config, wakeups: LoopQueue) -> None:
    """Run the daemon without worker processes, signals and timers."""
    loaded.state.mkdir()
    clock = SystemClock()
    with SqliteJournal.open(loaded.state / "journal.sqlite3", clock) as journal:
        status = ServiceStatus(Notifier.of({}), None, clock)
        Daemon(loaded, config, journal, fakes.FakePool(FakeWorker()), status, wakeups).run({})  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.timeout(540)
def test_a_thousand_reloads_under_load_mix_no_two_policies(tmp_path: Path) -> None:
    """Each decision is wholly that of the policy whose digest it bears."""
    config, inbox = tmp_path / "culld.yaml", tmp_path / "inbox"
    inbox.mkdir()
    config.write_text(POLICIES[Verdict.TAG])
    counting, wakeups = Counting(), LoopQueue()
    log = logging.getLogger("culld.app.policy_reload")
    level = log.level
    log.addHandler(counting)
    log.setLevel(logging.INFO)
    # Loaded before the thread starts: the loop below writes the file, and a file that is being written is empty.
    daemon = threading.Thread(target=serve, args=(config, load_config(config, {}), wakeups))
    daemon.start()
    try:
        photos = 0
        texts = list(POLICIES.values())
        while counting.count < RELOADS and daemon.is_alive():
            counting.changed.clear()
            (inbox / f"{photos}.jpg").write_bytes(str(photos).encode())
            photos += 1
            config.write_text(texts[photos % len(texts)])
            wakeups.put(Signal.RELOAD)
            assert counting.changed.wait(20)
        deadline = time.monotonic() + 60
        while (left := unjudged(tmp_path, photos)) and time.monotonic() < deadline:
            wakeups.put(Signal.RESCAN)
            time.sleep(0.2)
        assert left == 0
    finally:
        wakeups.put(Signal.STOP)
        daemon.join(30)
        log.removeHandler(counting)
        log.setLevel(level)

    expected = {}
    for verdict, text in POLICIES.items():
        config.write_text(text)
        expected[resolve_policies(load_config(config, {})).default.digest] = verdict
    with SqliteJournal.open(tmp_path / "state" / "journal.sqlite3", SystemClock()) as journal:
        decisions = journal.decisions(limit=10 * photos)
    assert counting.count >= RELOADS
    assert Counter(decision.verdict for decision in decisions).keys() == set(POLICIES)
    assert [decision for decision in decisions if decision.verdict is not expected[decision.policy]] == []


def unjudged(folder: Path, photos: int) -> int:
    """How many photos have no decision yet."""
    with SqliteJournal.open(folder / "state" / "journal.sqlite3", SystemClock()) as journal:
        return photos - sum(journal.counts().values())
