"""A watched folder whose photos real workers with a prepared network judge, and the wishes of people about them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from culld.app.build import Builder, PolicySet
from culld.app.model_files import resolve_policies
from culld.app.once import OnePass
from culld.app.once_counts import Counts
from culld.app.startup import JOURNAL, open_journal
from culld.app.wishes.carry_out import Wishes
from culld.app.wishes.wish_file import write_wish
from culld.clock import SystemClock
from culld.config import Config, load_config
from culld.journal.store import SqliteJournal
from culld.records import (
    WISH_FOLDER,
    ItemState,
    RecordedDecision,
    ReviewState,
    RootedPath,
    Wish,
    WishItem,
    WishKind,
    WishProgress,
)
from culld.unexpected import UnexpectedErrors
from harness import factories, fakes, quarantined, raw_files
from harness.named_model import Model

POLICY = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
settle: {quiet: 100ms}
batch: {wait: 100ms}
policy:
  {mode: MODE, brake: {max_share: SHARE}, stack_verdict: worst, defects: {blur: {tag: 0.5, reject: REJECT}}, COPIES}
"""
HOUR_NS = 3_600_000_000_000
SCORES = {"kept.jpg": 0.1, "tagged.jpg": 0.7, "gone.jpg": 0.99}
"""Photos by name with their probability of blur: one is kept, one tagged, one moved."""


T = TypeVar("T")


@dataclass
class ReviewHouse:
    """A watched folder, a quarantine, a journal and a folder of wishes."""

    folder: Path
    scores: dict[str, float] = field(default_factory=lambda: dict(SCORES))
    share: str = "never"
    enhance: str = "never"
    model: Model = field(init=False)
    originals: dict[str, bytes] = field(init=False)

    def build(self, mode: str = "enforce") -> ReviewHouse:
        """Make the folders and the photos, which are hours old, and judge them."""
        for name in ("inbox", "state", "quarantine"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.model = Model("model@1", self.scores)
        self.set_policy(mode=mode)
        for number, name in enumerate(self.scores):
            self.drop(name, number, len(self.scores) - number)
        self.originals = self.files()
        self.once()
        return self

    def drop(self, name: str, number: int = 0, age: int = 1) -> None:
        """Put a photo into the watched folder; `number` makes its picture, `age` is its age in hours."""
        picture = factories.picture(number, size=(640, 480))
        data = raw_files.dng(picture, preview=picture) if name.endswith(".dng") else factories.encoded(picture)
        path = self.inbox / name
        path.write_bytes(data)
        os.utime(path, ns=(0, path.stat().st_mtime_ns - age * HOUR_NS))

    def set_policy(self, *, mode: str = "enforce", reject: str = "0.97") -> None:
        """Write the configuration; `reject` is the threshold of blur."""
        text = POLICY.replace("MODE", mode).replace("SHARE", self.share).replace("REJECT", reject)
        text = text.replace("COPIES", f"enhance: {self.enhance}")
        (self.folder / "culld.yaml").write_text(text)

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.folder / "inbox"

    @property
    def wishes(self) -> Path:
        """The folder of wishes."""
        return self.folder / "state" / WISH_FOLDER

    @property
    def config(self) -> Config:
        """The configuration."""
        return load_config(self.folder / "culld.yaml", {})

    def journal(self) -> SqliteJournal:
        """The journal, after a replay of the plans that a crash left open."""
        return open_journal(self.config)

    def reads(self, question: Callable[[SqliteJournal], T]) -> T:
        """The answer of the journal, read as another process does."""
        with SqliteJournal.open_readonly(self.folder / "state" / JOURNAL, SystemClock()) as journal:
            return question(journal)

    def once(self, on_statement: Callable[[str], object] | None = None) -> Counts:
        """Run `culld once` without worker processes; it carries out the wishes as well.

        `on_statement` gets each statement of SQL before it is run.
        """
        with self.journal() as journal:
            journal._db.set_trace_callback(on_statement)
            pool = fakes.FakePool(self.model)
            return OnePass(self.config, journal, pool).process([], lambda _: None)  # type: ignore[arg-type]

    @contextmanager
    def carrier(self, heartbeat: Callable[[], None] = lambda: None) -> Iterator[Wishes]:
        """What the loop of the daemon carries wishes out with."""
        with self.journal() as journal:
            pool, policies = fakes.FakePool(self.model), PolicySet(resolve_policies(self.config))
            builder = Builder(self.config, journal, pool, policies, heartbeat=heartbeat)  # type: ignore[arg-type]
            found = Wishes(builder, UnexpectedErrors())
            try:
                yield found
            finally:
                found.close()

    def carry_out_wishes(self) -> None:
        """Carry out the wishes, without a scan before."""
        with self.carrier() as found:
            found.carry_out_all()

    def decisions(self, name: str) -> list[RecordedDecision]:
        """The decisions about a photo, the oldest first."""
        with self.journal() as journal:
            return journal.history_of(RootedPath(self.inbox, Path(name)))

    def number(self, name: str) -> int:
        """The number of the last decision about a photo."""
        with self.journal() as journal:
            number = journal.number_of(self.decisions(name)[-1].plan)
        assert number is not None
        return number

    def state(self, name: str) -> ReviewState:
        """The state of the photo of the last decision about it."""
        with self.journal() as journal:
            return journal.review_states([self.number(name)])[self.number(name)]

    def wish(self, kind: WishKind, *names: str, seen: ReviewState | None = None, policy: str = "") -> Wish:
        """A wish about the last decisions of photos, in the states that they are in, or in the state `seen`."""
        items = tuple(WishItem(self.number(name), seen or self.state(name)) for name in names)
        return Wish(str(uuid.uuid4()), kind, items, policy)

    def ask(self, *wishes: Wish) -> None:
        """Write wishes into their folder."""
        for wish in wishes:
            write_wish(self.wishes, wish)

    def progress(self, wish: Wish) -> WishProgress:
        """How far a wish is."""
        with self.journal() as journal:
            found = journal.wish_progress(wish.id)
        assert found is not None
        return found

    def carry_out(self, kind: WishKind, *names: str, seen: ReviewState | None = None) -> list[tuple[ItemState, str]]:
        """Ask for a wish, run `culld once`, and return the state and the note of each photo."""
        wish = self.wish(kind, *names, seen=seen)
        self.ask(wish)
        self.once()
        done = self.progress(wish)
        assert done.ended_at is not None
        return [(each.state, each.note) for each in done.outcomes]

    def files(self, folder: str = "inbox") -> dict[str, bytes]:
        """The bytes of every file in a folder, by its relative path."""
        place = self.folder / folder
        return {name: (place / name).read_bytes() for name in quarantined.tree(place)}

    def photos(self, folder: str) -> set[str]:
        """The names of the photos in a folder."""
        return {Path(name).name for name in self.files(folder) if Path(name).suffix in {".jpg", ".dng"}}


def done(count: int) -> Sequence[tuple[ItemState, str]]:
    """The outcomes of a wish whose photos are all done, without a note."""
    return [(ItemState.DONE, "")] * count
