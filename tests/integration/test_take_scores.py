"""Scores that were made elsewhere, over a real journal and real files: the verdicts are those of `culld once`."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import piexif
import pytest

from culld.app.build import Builder, PolicySet
from culld.app.dry_run import journal_for_dry_run
from culld.app.model_files import resolve_policies
from culld.app.once import OnePass
from culld.app.restore import RestoreRequest, run_restore
from culld.app.startup import open_journal
from culld.app.take_scores import TakeRequest, TakingPass, require_known_facts, require_watched
from culld.app.taken_counts import Found, Taken
from culld.app.taken_scores import Origin
from culld.config import Config, load_config
from culld.errors import ConfigError, SystemFaultError
from culld.journal.store import SqliteJournal
from culld.quarantine.selection import Selection
from culld.records import Assessment, FileSnapshot, RootedPath, Verdict
from culld.stages.read import PoolReader
from culld.stages.watch.scanner import Scanner
from harness import factories, fakes
from harness.named_model import Model

POLICY = """\
watch: [{path: inbox}]
quarantine: inbox/quarantine
state: state
batch: {size: %d}
settle: {quiet: 100ms}
policy: {mode: enforce, brake: {max_share: never}}
"""
RATED = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""
BLUR = {"good.jpg": 0.1, "soft.jpg": 0.7, "bad.jpg": 0.99, "b1.jpg": 0.985, "b2.jpg": 0.99, "b3.jpg": 0.98}
"""The last three are a burst of rejects, of which the best stays."""


@dataclass
class Source:
    """Rows in memory; None is a row without scores."""

    rows: dict[RootedPath, Assessment | None] = field(default_factory=dict)

    def holds(self, place: RootedPath) -> bool:
        """Whether there is a row."""
        return place in self.rows

    def assessments(self, batch: Sequence[FileSnapshot]) -> dict[RootedPath, Assessment]:
        """The rows with scores."""
        found = {file.place: self.rows.get(file.place) for file in batch}
        return {place: each for place, each in found.items() if each is not None}


class Quiet:
    """Shows nothing, and keeps the first counts."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        self.first: Found | None = None

    def found(self, found: Found) -> None:
        """Keep them."""
        self.first = found

    def progress(self, _total: int, _doing: str) -> AbstractContextManager[Callable[[int], None]]:
        """No bar."""
        return nullcontext(lambda _count: None)


def shot(number: int, second: float | None) -> bytes:
    """A JPEG; with a second the camera took it at that time, and all these show one scene."""
    stream = io.BytesIO()
    exif = piexif.dump({"0th": {}, "Exif": {}})
    if second is not None:
        moment = (factories.NOON + timedelta(seconds=second)).strftime("%Y:%m:%d %H:%M:%S").encode()
        facts = {piexif.ExifIFD.DateTimeOriginal: moment, piexif.ExifIFD.ISOSpeedRatings: 100 + 25 * number}
        exif = piexif.dump({"0th": {piexif.ImageIFD.Model: b"X"}, "Exif": facts})
    picture = factories.picture(0 if second is not None else number, (800, 600))
    picture.putpixel((number, 0), (number, 0, 0))
    picture.save(stream, "JPEG", quality=95, exif=exif)
    return stream.getvalue()


@dataclass
class House:
    """A watched folder with photos, the quarantine in it, and a journal."""

    folder: Path
    blur: Mapping[str, float] = field(default_factory=lambda: BLUR)
    size: int = 100
    policy: str = POLICY
    worker: Model = field(init=False)

    def build(self) -> House:
        """Make the folders and the photos; `trip/` holds the burst."""
        (self.folder / "inbox" / "quarantine").mkdir(parents=True)
        (self.folder / "culld.yaml").write_text(self.policy % self.size)
        for number, name in enumerate(self.blur):
            path = self.place(name).path
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(shot(number, number if name.startswith("b") and name != "bad.jpg" else None))
        self.worker = Model("model@1", self.blur)
        return self

    def place(self, name: str) -> RootedPath:
        """Where a photo is."""
        in_burst = name.startswith("b") and name != "bad.jpg"
        return RootedPath(self.inbox, Path("trip", name) if in_burst else Path(name))

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.folder / "inbox"

    @property
    def config(self) -> Config:
        """The configuration."""
        return load_config(self.folder / "culld.yaml", {})

    def scored(self) -> Source:
        """Score all photos, as an archive does."""
        batch = list(Scanner({".jpg"}, frozenset({self.inbox / "quarantine"})).scan(self.inbox))
        scores = {self.place(name).path.name: blur for name, blur in self.blur.items()}
        reader = PoolReader(fakes.FakePool(Model("model@1", scores)))  # type: ignore[arg-type]
        found = [each for each in reader.read(batch) if isinstance(each, Assessment)]
        return Source({each.photo.place: each for each in found})

    def take(self, source: Source, *, dry_run: bool = False, shown: Quiet | None = None) -> Taken:
        """Take the scores without worker processes."""
        opened = journal_for_dry_run if dry_run else open_journal
        with opened(self.config) as journal:
            return self._pass(journal, source, dry_run=dry_run).run(shown or Quiet())

    def _pass(self, journal: SqliteJournal, source: Source, *, dry_run: bool) -> TakingPass:
        policies = PolicySet(resolve_policies(self.config))
        builder = Builder(self.config, journal, fakes.FakePool(self.worker), policies)  # type: ignore[arg-type]
        return TakingPass(builder, TakeRequest(self.inbox, dry_run), source)

    def once(self) -> None:
        """Run `culld once` without worker processes."""
        with open_journal(self.config) as journal:
            OnePass(self.config, journal, fakes.FakePool(self.worker)).process([], lambda _: None)  # type: ignore[arg-type]

    def decisions(self) -> dict[str, tuple[Verdict, str]]:
        """The last verdict and reason of each photo."""
        with open_journal(self.config) as journal:
            return {each.place.relative.name: (each.verdict, each.reason) for each in journal.latest_decisions()}

    def restore(self) -> None:
        """Bring everything back."""
        run_restore(self.config, RestoreRequest(Selection(everything=True), untag=True), lambda _: None)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Six photos, three of them a burst."""
    return House(tmp_path / "house").build()


def everything(folder: Path) -> dict[str, str]:
    """The digest of the bytes of every file below a folder, those of the journal among them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def counts_of(taken: Taken) -> dict[Verdict, int]:
    """The verdicts that occur."""
    return {verdict: count for verdict, count in taken.counts.verdicts.items() if count}


def test_the_decisions_are_those_of_once_and_no_photo_is_scored(house: House, tmp_path: Path) -> None:
    """With the same reasons; the best of the burst stays, and its frames are compared in full resolution."""
    other = House(tmp_path / "other").build()
    other.once()

    taken = house.take(house.scored())

    assert house.decisions() == other.decisions()
    assert counts_of(taken) == {Verdict.KEEP: 1, Verdict.TAG: 2, Verdict.QUARANTINE: 3}
    assert taken.origins == {Origin.TAKEN: 6}
    assert (house.worker.scored, sorted(other.worker.scored)) == ([], sorted(BLUR))
    assert {verdict for verdict, reason in house.decisions().values() if "burst" in reason} == {Verdict.TAG}


def test_a_restore_finds_every_byte_as_it_was(house: House) -> None:
    """Photos, sidecars, and no file of culld is left beside them."""
    house.inbox.joinpath("soft.jpg.xmp").write_bytes(RATED.replace(b'"4"', b'"0"'))
    before = everything(house.inbox)
    house.take(house.scored())
    assert everything(house.inbox) != before

    house.restore()

    assert everything(house.inbox) == before


def test_a_photo_that_changed_since_is_scored_now(house: House) -> None:
    """Its old scores would reject it; the new ones keep it."""
    source = house.scored()
    house.place("bad.jpg").path.write_bytes(shot(77, None))
    house.worker = Model("model@1", {})

    taken = house.take(source)

    assert house.decisions()["bad.jpg"][0] is Verdict.KEEP
    assert taken.origins == {Origin.TAKEN: 5, Origin.CHANGED: 1}
    assert house.worker.scored == ["bad.jpg"]


def test_a_photo_without_scores_is_scored_now_and_one_without_a_row_is_left(house: House) -> None:
    """It could not be read when the archive was made; the other one is new."""
    source = house.scored()
    source.rows[house.place("bad.jpg")] = None
    del source.rows[house.place("soft.jpg")]
    shown = Quiet()

    taken = house.take(source, shown=shown)

    assert taken.origins == {Origin.TAKEN: 4, Origin.UNSCORED: 1}
    assert house.decisions()["bad.jpg"][0] is Verdict.QUARANTINE
    assert "soft.jpg" not in house.decisions()
    assert shown.first == Found(scored=5, waiting=5, others=1)


def test_a_photo_that_was_rated_after_it_was_scored_stays(house: House) -> None:
    """User metadata are read now, also if the source says that there are none."""
    source = house.scored()
    assert all(each is not None and each.user_metadata is not None for each in source.rows.values())
    house.inbox.joinpath("bad.jpg.xmp").write_bytes(RATED)

    house.take(source)

    verdict, reason = house.decisions()["bad.jpg"]
    assert verdict is Verdict.TAG
    assert "it is rated (xmp:Rating 4" in reason


def test_photos_that_the_journal_knows_are_not_judged_again(house: House) -> None:
    """Neither those that were judged, nor those that the user restored."""
    source = house.scored()
    first = house.take(source)
    house.restore()

    again = house.take(source)

    assert (sum(first.counts.verdicts.values()), sum(again.counts.verdicts.values())) == (6, 0)
    assert again.counts.known == 6
    assert house.place("bad.jpg").path.exists()


def test_a_restored_photo_under_another_name_is_not_moved(house: House) -> None:
    """The journal knows its bytes."""
    house.take(house.scored())
    house.restore()
    house.place("bad.jpg").path.rename(house.inbox / "renamed.jpg")
    house.blur = {"renamed.jpg": 0.99}
    (row,) = [each for each in house.scored().rows.values() if each and each.photo.place.relative.name == "renamed.jpg"]

    taken = house.take(Source({row.photo.place: row}))

    assert counts_of(taken) == {Verdict.TAG: 1}
    assert "restored" in house.decisions()["renamed.jpg"][1]


def test_a_dry_run_changes_no_byte_and_counts_what_a_run_does(house: House) -> None:
    """Before the first start of culld, when there is no journal, and with a journal."""
    source, before = house.scored(), everything(house.folder)

    dry = house.take(source, dry_run=True)

    assert everything(house.folder) == before
    assert not (house.folder / "state").exists()
    real = house.take(source)
    assert (dry.counts.verdicts, dry.rules, dry.keywords, dry.held) == (
        real.counts.verdicts,
        real.rules,
        real.keywords,
        real.held,
    )
    assert [(each.photo.place, each.reason) for each in dry.examples] == [
        (each.photo.place, each.reason) for each in real.examples
    ]
    house.restore()
    after = everything(house.folder)
    house.place("good.jpg").path.rename(house.inbox / "moved.jpg")
    source.rows[house.place("moved.jpg")] = source.rows[house.place("good.jpg")]
    assert counts_of(house.take(source, dry_run=True)) == {Verdict.KEEP: 1}
    house.inbox.joinpath("moved.jpg").rename(house.place("good.jpg").path)
    assert everything(house.folder) == after


def test_a_dry_run_sees_a_series_that_several_batches_cut(tmp_path: Path) -> None:
    """The good frame is in the first batch, of which nothing is stored; no reject is the best of the burst."""
    blur = {f"b{number}.jpg": 0.98 + number / 1000 if number else 0.1 for number in range(7)}
    house = House(tmp_path, blur, size=1).build()
    source = house.scored()

    dry = house.take(source, dry_run=True)
    real = house.take(source)

    assert counts_of(dry) == counts_of(real) == {Verdict.KEEP: 1, Verdict.QUARANTINE: 6}


def test_the_brake_works_over_the_whole_run(tmp_path: Path) -> None:
    """Of 30 rejects in batches of five, 12 are moved: 60 percent of 20, as in `once`; a dry run says the same."""
    blur = {f"{number}.jpg": 0.99 for number in range(30)}
    house = House(tmp_path, blur, 5, POLICY.replace(", brake: {max_share: never}", "")).build()
    source = house.scored()

    for dry_run in (True, False):
        taken = house.take(source, dry_run=dry_run)
        assert counts_of(taken) == {Verdict.QUARANTINE: 12, Verdict.TAG: 18}
        assert taken.held == 18
        assert "then run `culld resume`" in taken.brake


def test_a_run_that_is_interrupted_between_batches_goes_on(tmp_path: Path) -> None:
    """The journal knows the photos of the first batches; no photo is judged twice."""
    house = House(tmp_path, size=1).build()
    source = house.scored()

    with open_journal(house.config) as journal, pytest.raises(KeyboardInterrupt):
        house._pass(journal, source, dry_run=False).run(_Interrupted())

    done = len(house.decisions())
    assert 0 < done < len(BLUR)
    again = house.take(source)
    assert sum(again.counts.verdicts.values()) == len(BLUR) - done
    assert len(house.decisions()) == len(BLUR)


class _Interrupted(Quiet):
    """Ends the run after its first batch."""

    def progress(self, _total: int, _doing: str) -> AbstractContextManager[Callable[[int], None]]:
        """Interrupt."""

        def advance(_count: int) -> None:
            raise KeyboardInterrupt

        return nullcontext(advance)


def test_a_folder_that_is_away_is_refused(house: House) -> None:
    """As of a disk that is not mounted: it has no marker, and is on another device than before."""
    source = house.scored()
    with open_journal(house.config) as journal:
        journal.remember_device(house.inbox, 1)

    with pytest.raises(SystemFaultError, match="is on another disk than before"):
        house.take(source)


def test_folders_outside_and_rules_about_regions_are_refused_with_a_sentence(house: House) -> None:
    """Before anything is read."""
    for path, why in [(house.folder, "lies in no folder that the policy watches"), (house.inbox / "x", "is no folder")]:
        with pytest.raises(ConfigError, match=why):
            require_watched(house.config, path)

    rule = POLICY.replace("mode: enforce", "mode: enforce, rules: [{name: a, when: share_blur > 0.5, action: keep}]")
    other = replace(house, folder=house.folder.with_name("other"), policy=rule).build()
    with pytest.raises(ConfigError, match="which an archive does not hold"):
        require_known_facts(PolicySet(resolve_policies(other.config)))
