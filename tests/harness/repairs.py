"""A house whose photos get repaired copies from a worker that answers as the test says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from culld.app.build import Builder, PolicySet
from culld.app.copies.background import Copies
from culld.app.copies.repairer import Repairer
from culld.app.enhance_messages import Enhanced, EnhanceRequest, EnhanceSettings, Repair
from culld.app.model_files import resolve_policies
from culld.app.restore import RestoreRequest, run_restore
from culld.app.startup import JOURNAL
from culld.errors import PhotoError
from culld.inference.pending import PendingResults
from culld.journal.store import SqliteJournal
from culld.quarantine.selection import Selection
from culld.records import CopyState, RecordedCopy
from culld.tags.own_properties import NAMESPACE, PARENT_DIGEST
from culld.unexpected import UnexpectedErrors
from harness import fakes
from harness.review_house import ReviewHouse

COPY = f"\xff\xd8 {NAMESPACE} {PARENT_DIGEST} ".encode("latin-1")
"""The first bytes of each copy; they hold what the scanner knows a copy by."""
BETTER = "the copy is no longer under-exposed"


def better(name: str) -> Enhanced:
    """The answer with a copy of a photo."""
    return Enhanced(BETTER, COPY + name.encode(), Repair.EXPOSURE)


@dataclass
class FakeRepairs:
    """A pool that repairs in this process: at once, or, while it `is_held`, when the test calls `finish`."""

    answers: dict[str, Enhanced | PhotoError] = field(default_factory=dict)
    is_held: bool = False
    asked: list[str] = field(default_factory=list)
    settings: list[EnhanceSettings] = field(default_factory=list)
    starts: int = 0
    stops: int = 0
    at_submit: Callable[[], object] = lambda: None
    waiting: list[PendingResults[Any]] = field(default_factory=list)

    def __call__(self, settings: EnhanceSettings) -> FakeRepairs:
        """Be the pool for some settings."""
        self.settings.append(settings)
        return self

    def start_in_background(self) -> None:
        """Count."""
        self.starts += 1

    def stop(self) -> None:
        """Count."""
        self.stops += 1

    def submit(self, requests: Sequence[EnhanceRequest]) -> PendingResults[Enhanced | PhotoError]:
        """Answer at once unless held."""
        self.at_submit()
        work: PendingResults[Any] = PendingResults(requests)
        self.asked += [request.place.relative.name for request in requests]
        self.waiting.append(work)
        if not self.is_held:
            self.finish()
        return work

    def finish(self) -> None:
        """Answer all requests."""
        for work in self.waiting:
            for number, request in enumerate(work.requests):
                name = request.place.relative.name
                work.put(number, self.answers.get(name, better(name)))
        self.waiting.clear()


@dataclass
class CopyHouse(ReviewHouse):
    """Photos that the policy keeps, tags and moves, and the copies that culld makes of them."""

    enhance: str = "rejects"
    repairs: FakeRepairs = field(default_factory=FakeRepairs)
    clock: fakes.FakeClock = field(default_factory=fakes.FakeClock)

    @contextmanager
    def copies(self, on_statement: Callable[[str], object] | None = None) -> Iterator[Copies]:
        """What the loop of the daemon makes copies with."""
        with SqliteJournal.open(self.folder / "state" / JOURNAL, self.clock) as journal:
            journal._db.set_trace_callback(on_statement)
            pool, policies = fakes.FakePool(self.model), PolicySet(resolve_policies(self.config))
            builder = Builder(self.config, journal, pool, policies, clock=self.clock)  # type: ignore[arg-type]
            found = Copies(builder, UnexpectedErrors(), Repairer(self.repairs, self.clock))
            try:
                yield found
            finally:
                found.close()

    def step(self, copies: Copies, *, is_idle: bool = True, is_quarantine_there: bool = True) -> None:
        """Take one step of the loop."""
        roots = [self.inbox] if self.inbox.is_dir() else []
        copies.step(roots, is_quarantine_there=is_quarantine_there, is_idle=is_idle)

    def make_copies(self, on_statement: Callable[[str], object] | None = None) -> None:
        """Take steps until nothing changes any more."""
        with self.copies(on_statement) as copies:
            for _ in range(3 * len(self.scores) + 3):
                self.step(copies)

    def copy(self, name: str) -> RecordedCopy:
        """The copy of a photo in the journal."""
        number = self.number(name)
        found = self.reads(lambda journal: journal.copy_of(number))
        assert found is not None
        return found

    def copy_waits(self, name: str) -> bool:
        """Whether the copy of a photo still waits; also while the watched folder is away."""
        found = self.reads(lambda journal: journal.undoable_copies())
        return any(copy.state is CopyState.WAITING and each.place.relative.name == name for copy, each in found)

    def copies_due(self) -> int:
        """How many copies can be made now."""
        with self.copies() as copies:
            return len(copies.waiting())

    def selected(self, name: str) -> Selection:
        """The selection of the photo that was found at a path."""
        return Selection((self.inbox / name,))

    def undo(self, *, untag: bool = True, dry_run: bool = False, selection: Selection | None = None) -> list[Any]:
        """Run `culld restore`, by default for everything; return the results."""
        results: list[Any] = []
        request = RestoreRequest(selection or Selection(everything=True), untag, dry_run)
        run_restore(self.config, request, results.append)
        return results

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each file that belongs to a person, wherever it is now, by name."""
        found = {**self.files("quarantine"), **self.files()}
        return {name: hashlib.sha256(data).hexdigest() for name, data in found.items() if not name.endswith(".json")}
