"""`culld once --rejudge` over a real journal and real files: a new model judges photos that were judged before."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from culld.app.once import OnceRequest, OnePass, run_once, scope_of
from culld.app.once_counts import Counts
from culld.app.rejudge import Rejudging
from culld.app.restore import RestoreRequest, run_restore
from culld.app.startup import open_journal
from culld.config import Config, load_config
from culld.errors import SystemFaultError
from culld.files.locks import state_lock
from culld.files.open_beneath import stamp_of
from culld.journal.store import SqliteJournal
from culld.quarantine.selection import Selection
from culld.records import (
    FileSnapshot,
    FileStat,
    ReadFailure,
    RecordedDecision,
    RootedPath,
    Stack,
    Verdict,
)
from harness import factories, fakes, kill_points, quarantined
from harness.named_model import Model

POLICY = """\
watch: [{path: inbox}]
quarantine: inbox/quarantine
state: state
batch: {size: %d}
settle: {quiet: 100ms}
policy: {mode: enforce, brake: {max_share: never}}
"""
KEYWORD = b"defect:blur"
USER = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag>
<rdf:li>holiday</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"""
HOUR_NS = 3_600_000_000_000
OLD = {"freed.jpg": 0.8, "found.jpg": 0.1, "gone.jpg": 0.99, "worse.jpg": 0.2, "kept.jpg": 0.2, "still.jpg": 0.7}
NEW = {"freed.jpg": 0.1, "found.jpg": 0.8, "gone.jpg": 0.1, "worse.jpg": 0.99, "kept.jpg": 0.2, "still.jpg": 0.7}


@dataclass
class House:
    """A watched folder with photos, the quarantine in it, and a journal."""

    folder: Path
    size: int = 100
    models: list[Model] = field(default_factory=list)

    def build(self, names: Collection[str]) -> House:
        """Make the folders and photos; they are hours old, the first name the oldest."""
        for name in ("inbox/quarantine", "state"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "culld.yaml").write_text(POLICY % self.size)
        for number, name in enumerate(names):
            path = self.inbox / name
            path.write_bytes(factories.encoded(factories.picture(number, size=(640, 480))))
            os.utime(path, ns=(0, path.stat().st_mtime_ns - (len(names) - number) * HOUR_NS))
        return self

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.folder / "inbox"

    @property
    def config(self) -> Config:
        """The configuration."""
        return load_config(self.folder / "culld.yaml", {})

    def journal(self) -> SqliteJournal:
        """The journal, after a replay of the plans that a crash left open."""
        return open_journal(self.config)

    def once(
        self, model: str, blur: Mapping[str, float], paths: Sequence[Path] = (), *, rejudge: bool = False
    ) -> Counts:
        """Run `culld once` without worker processes."""
        worker = Model(model, blur)
        self.models.append(worker)
        with self.journal() as journal:
            again = Rejudging(journal, scope_of(self.config, paths), journal.last_number()) if rejudge else None
            pool = fakes.FakePool(worker)
            return OnePass(self.config, journal, pool, again).process(paths, lambda _: None)  # type: ignore[arg-type]

    def rejudge(self, model: str, blur: Mapping[str, float], *paths: Path) -> Counts:
        """Run `culld once --rejudge`."""
        return self.once(model, blur, paths, rejudge=True)

    def decisions(self, name: str) -> list[RecordedDecision]:
        """The decisions about a photo, the oldest first."""
        with self.journal() as journal:
            return journal.history_of(RootedPath(self.inbox, Path(name)))

    def verdicts(self, name: str) -> list[Verdict]:
        """The verdicts about a photo, the oldest first."""
        return [decision.verdict for decision in self.decisions(name)]

    def files(self) -> dict[str, bytes]:
        """The bytes of every file, by its path from the watched folder; without the markers of culld."""
        return {name: (self.inbox / name).read_bytes() for name in quarantined.tree(self.inbox)}

    def stamps(self) -> dict[str, tuple[int, int, int]]:
        """Inode, mtime and ctime of every file."""
        found = {name: (self.inbox / name).stat() for name in quarantined.tree(self.inbox)}
        return {name: (each.st_ino, each.st_mtime_ns, each.st_ctime_ns) for name, each in found.items()}


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Six photos that the old model has judged; one of them has a sidecar with a keyword of the user."""
    found = House(tmp_path).build(OLD)
    (found.inbox / "freed.jpg.xmp").write_bytes(USER)
    found.once("old@1", OLD)
    return found


def test_unchanged_photos_get_a_new_decision(house: House) -> None:
    """Keywords of culld come, go and stay with it; those of the user stay; a photo in quarantine is not touched."""
    before = house.files()
    assert KEYWORD in before["freed.jpg"]
    assert house.once("new@1", NEW).verdicts == dict.fromkeys(Verdict, 0)

    counts = house.rejudge("new@1", NEW)

    after = house.files()
    assert counts.verdicts == {Verdict.KEEP: 2, Verdict.TAG: 2, Verdict.QUARANTINE: 1, Verdict.UNREADABLE: 0}
    assert (counts.failures, counts.known, counts.unfinished) == ({}, 0, 0)
    assert [(KEYWORD in after[name], b"holiday" in after[name]) for name in ("freed.jpg", "freed.jpg.xmp")] == [
        (False, False),
        (False, True),
    ]
    assert [KEYWORD in after[name] for name in ("found.jpg", "found.jpg.xmp", "still.jpg")] == [True, True, True]
    assert {"quarantine/gone.jpg", "quarantine/worse.jpg", "quarantine/worse.jpg.culld.json"} <= after.keys()
    assert {name for name in before if "gone" in name} == {name for name in after if "gone" in name}
    assert all(after[name] == before[name] for name in before if "gone" in name or name == "kept.jpg")
    assert [[each.model for each in house.decisions(name)] for name in ("kept.jpg", "gone.jpg")] == [
        ["old@1", "new@1"],
        ["old@1"],
    ]
    assert house.once("new@1", NEW).verdicts == dict.fromkeys(Verdict, 0)


def test_a_second_run_writes_no_file(house: House) -> None:
    """It writes decisions only: a sidecar is not rewritten for its time alone."""
    house.rejudge("new@1", NEW)
    before = (house.files(), house.stamps())

    counts = house.rejudge("new@1", NEW)

    assert (house.files(), house.stamps()) == before
    assert counts.verdicts == {Verdict.KEEP: 2, Verdict.TAG: 2, Verdict.QUARANTINE: 0, Verdict.UNREADABLE: 0}
    assert house.verdicts("still.jpg") == [Verdict.TAG] * 3


@pytest.mark.parametrize("sidecars", ["always", "needed", "never"])
def test_keywords_in_a_photo_without_a_sidecar_are_taken_out_as_well(tmp_path: Path, sidecars: str) -> None:
    """The setting made no sidecar, or the user has deleted it; a photo that is kept gets none."""
    house = House(tmp_path).build(["a.jpg"])
    (tmp_path / "culld.yaml").write_text(POLICY % 100 + f"tags: {{sidecar: {sidecars}}}\n")
    house.once("old@1", {"a.jpg": 0.8})
    (house.inbox / "a.jpg.xmp").unlink(missing_ok=True)
    assert KEYWORD in house.files()["a.jpg"]

    house.rejudge("new@1", {"a.jpg": 0.1})
    first = (house.files(), house.stamps())
    house.rejudge("new@1", {"a.jpg": 0.1})

    assert KEYWORD not in first[0]["a.jpg"]
    assert "a.jpg.xmp" not in first[0]
    assert (house.files(), house.stamps()) == first


def test_only_the_photos_at_the_paths_are_judged_again(house: House) -> None:
    """Each once, also if a path is given twice or lies below another one; none in quarantine, even by its path."""
    (house.inbox / "sub").mkdir()
    (house.inbox / "kept.jpg").rename(house.inbox / "sub" / "kept.jpg")
    found, moved = house.inbox / "found.jpg", house.inbox / "quarantine" / "gone.jpg"

    counts = house.rejudge("new@1", NEW, found, house.inbox / "sub", found, house.inbox / "sub" / "kept.jpg", moved)

    assert sorted(house.models[-1].scored) == ["found.jpg", "kept.jpg"]
    assert sum(counts.verdicts.values()) == 2
    assert moved.exists()
    assert house.verdicts("gone.jpg") == [Verdict.QUARANTINE]


def test_a_photo_that_was_tagged_before_it_is_moved_gets_its_first_bytes_back(tmp_path: Path) -> None:
    """A restore undoes the tags of both decisions."""
    house = House(tmp_path).build(["a.jpg"])
    first = house.files()
    house.once("old@1", {"a.jpg": 0.8})
    house.rejudge("new@1", {"a.jpg": 0.99})
    assert "quarantine/a.jpg" in house.files()

    run_restore(house.config, RestoreRequest(Selection(everything=True)), lambda _: None)

    assert house.files() == first


def test_a_restored_photo_stays_restored(tmp_path: Path) -> None:
    """Also once its tags have changed its bytes, and the decision that moved it is forgotten."""
    house = House(tmp_path).build(["a.jpg"])
    first = house.files()
    house.once("old@1", {"a.jpg": 0.99})
    run_restore(house.config, RestoreRequest(Selection(everything=True)), lambda _: None)
    assert house.files() == first

    for number, blur in enumerate((0.99, 0.1, 0.99, 0.99)):
        counts = house.rejudge(f"new@{number}", {"a.jpg": blur})
        assert counts.verdicts[Verdict.QUARANTINE] == 0
        with house.journal() as journal:
            journal.forget_decisions(datetime.now(UTC) + timedelta(days=1), journal.last_number())

    last = house.decisions("a.jpg")[-1]
    assert (last.verdict, "the user restored this photo" in last.reason) == (Verdict.TAG, True)
    assert KEYWORD in house.files()["a.jpg"]


def test_what_an_older_culld_made_of_a_restored_photo_stays_as_well(tmp_path: Path) -> None:
    """Its journal holds the restored bytes, and the decision that tagged them, but not the tagged bytes."""
    house = House(tmp_path).build(["a.jpg"])
    house.once("old@1", {"a.jpg": 0.8})
    (tagged,) = house.decisions("a.jpg")
    with house.journal() as journal:
        journal.note_unclear("a plan that is no longer known", {tagged.digest})

    assert tagged.now_digest != tagged.digest
    assert house.rejudge("new@1", {"a.jpg": 0.99}).verdicts[Verdict.TAG] == 1


def test_a_shot_is_judged_by_the_new_scores_of_all_its_photos(tmp_path: Path) -> None:
    """Also if they are in two batches: the old model has seen one of them as blurred, the new one sees the other."""
    names = ["IMG_0001.jpg", "IMG_E0001.jpg"]
    house = House(tmp_path, size=1).build(names)
    house.once("old@1", dict(zip(names, (0.1, 0.99), strict=True)))
    assert "quarantine/IMG_0001.jpg" not in house.files()

    house.rejudge("new@1", dict(zip(names, (0.99, 0.1), strict=True)))

    assert set(names) <= house.files().keys()
    assert [house.decisions(name)[-1].model for name in names] == ["new@1"] * 2
    assert house.rejudge("new@2", dict.fromkeys(names, 0.99)).failures == {}
    assert {f"quarantine/{name}" for name in names} <= house.files().keys()


def test_files_with_a_failure_or_an_open_plan_are_not_judged_again(tmp_path: Path) -> None:
    """A failed one waits for its next try, and a parked one for the user."""
    house = House(tmp_path).build(["a.jpg", "failed.jpg"])
    house.once("old@1", {})
    place = RootedPath(house.inbox, Path("failed.jpg"))
    stamp = stamp_of(place)
    assert isinstance(stamp, FileStat)
    with house.journal() as journal:
        journal.fault(ReadFailure(FileSnapshot(place, stamp), "it is locked", timedelta(hours=1)))

    counts = house.rejudge("new@1", {})

    assert house.models[-1].scored == ["a.jpg"]
    assert list(counts.waiting.values()) == ["it is locked"]


@pytest.mark.parametrize("number", [2, 40])
def test_judged_files_are_found_in_folders_of_any_size(tmp_path: Path, number: int) -> None:
    """With the files that the journal does not know; a failed one is not among them."""
    plans = [factories.plan(Stack(factories.assessment(f"x/{each}.jpg"))) for each in range(number)]
    files = [FileSnapshot(plan.photo.place, plan.photo.stamp) for plan in plans] + [factories.snapshot("x/new.jpg")]
    with SqliteJournal.open(tmp_path / "journal.sqlite3", fakes.FakeClock()) as journal:
        with journal.intend(plans) as intent:
            for plan in plans:
                intent.close(factories.outcome(plan))
        journal.fault(ReadFailure(files[0], "it is locked", timedelta(hours=1)))

        assert list(journal.unknown(files)) == files[-1:]
        assert list(journal.unknown_or_judged(files)) == files[1:]


def test_a_kill_at_any_change_of_a_file_loses_no_decision_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    """The next `once` ends what was begun, by the new scores; another --rejudge comes to the same end as one run.

    Here the kill is at every third change; with step 1 the sweep passes as well, and takes 31 s.
    """
    names = ["freed.jpg", "found.jpg", "worse.jpg"]
    whole = House(tmp_path / "whole").build(names)
    whole.once("old@1", OLD)
    whole.rejudge("new@1", NEW)
    for nth in count(1, 3):
        house = House(tmp_path / str(nth)).build(names)
        house.once("old@1", OLD)
        scene = kill_points.Scene(house.folder, house.inbox / "quarantine")
        dead = kill_points.killed_at(nth, lambda _, house=house: house.rejudge("new@1", NEW), scene)  # type: ignore[misc]
        house.once("new@1", NEW)
        check(house)
        house.rejudge("new@1", NEW)
        check(house)
        assert photos(house) == photos(whole)
        if not dead:
            break
    assert nth > 20


def check(house: House) -> None:
    """Every photo is there once, as its last decision describes it; no plan is open, and no file is left over."""
    for name in ("freed.jpg", "found.jpg", "worse.jpg"):
        last = house.decisions(name)[-1]
        present = [path for path in photos(house) if path.endswith(name)]
        assert present == [str(last.now.path.relative_to(house.inbox))]
        assert quarantined.digest(last.now.path.read_bytes()) == last.now_digest
        assert (KEYWORD in last.now.path.read_bytes()) == (last.verdict in {Verdict.TAG, Verdict.QUARANTINE})
    with house.journal() as journal:
        assert journal.unfinished() == []
        assert journal.open_faults() == []
    assert not [name for name in house.files() if ".culld-" in name]


def photos(house: House) -> dict[str, bytes]:
    """The photos by their paths."""
    return {name: data for name, data in house.files().items() if name.endswith(".jpg")}


@pytest.mark.parametrize("rejudge", [False, True])
def test_it_is_refused_while_the_daemon_runs(house: House, *, rejudge: bool) -> None:
    """As `culld once` is."""
    before = house.files()
    with state_lock(house.config.state), pytest.raises(SystemFaultError, match="already"):
        run_once(house.config, OnceRequest(rejudge=rejudge), lambda _: pytest.fail("it has begun"))
    assert house.files() == before
