"""Photos in quarantine, and ways to lose the journal that records them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from culld.journal.store import SqliteJournal
from culld.quarantine.apply import PlanApplier
from culld.quarantine.restore import Restored, Restorer, restore
from culld.quarantine.selection import Selection
from culld.records import RootedPath
from harness import factories, quarantined
from harness.daemon_process import Rooms
from harness.fakes import FakeClock


@dataclass
class Vault(Rooms):
    """A watched folder whose photos are all in quarantine, and the journal that knows it.

    `early` is a copy of the database as it was after the first photo.
    """

    folder: Path
    contents: dict[Path, bytes] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / "journal.sqlite3"

    @property
    def early(self) -> Path:
        """A backup of it."""
        return self.folder / "early"

    def journal(self) -> SqliteJournal:
        """The journal, opened as at a start."""
        return SqliteJournal.open(self.file, FakeClock())

    def build(self, names: Sequence[str]) -> Vault:
        """Put photos of these names into the inbox, and from there into quarantine, one each day."""
        for folder in (self.inbox, self.quarantine):
            folder.mkdir(parents=True)
        for day, name in enumerate(names):
            self._reject(name, day)
            if day == 0:
                shutil.copy(self.file, self.early)
        return self

    def restore(self) -> list[Restored]:
        """Restore all photos, as `culld restore --all` does."""
        with self.journal() as journal:
            everything = Selection(everything=True)
            restorer = Restorer([self.inbox], journal, quarantined.nothing_of_culld)
            return list(restore(self.quarantine, everything, restorer))

    def is_whole(self) -> bool:
        """Return whether every photo is back where it was, with its bytes, and nothing is left in quarantine."""
        back = {path: (self.inbox / path).read_bytes() for path in map(Path, quarantined.tree(self.inbox))}
        return back == self.contents and not quarantined.tree(self.quarantine)

    def _reject(self, name: str, day: int) -> None:
        self.contents[Path(name)] = data = b"\xff\xd8" + name.encode()
        photo = quarantined.put(RootedPath(self.inbox, Path(name)), data)
        plan = quarantined.rejection(quarantined.stack(photo), self.quarantine)
        plan = replace(plan, made_at=factories.NOON + timedelta(days=day))
        with self.journal() as journal, journal.intend([plan]) as intent:
            intent.close(PlanApplier().apply(plan))


def deleted(vault: Vault) -> None:
    """The state folder was removed."""
    vault.file.unlink()


def cut_off(vault: Vault, at: float = 0.1) -> None:
    """The disk was full when it was copied."""
    data = vault.file.read_bytes()
    vault.file.write_bytes(data[: int(len(data) * at)])


def zeroed(vault: Vault) -> None:
    """The power failed, on a file system that allows this."""
    vault.file.write_bytes(bytes(vault.file.stat().st_size))


def rolled_back(vault: Vault) -> None:
    """A backup was put back."""
    shutil.copy(vault.early, vault.file)


DAMAGES: dict[str, Callable[[Vault], None]] = {
    "deleted": deleted,
    "cut off": cut_off,
    "zeroed": zeroed,
    "rolled back": rolled_back,
}


def cut_at(parts: int) -> list[Callable[[Vault], None]]:
    """The file cut off at each of a number of offsets, from its first byte on."""
    return [partial(cut_off, at=part / parts) for part in range(parts)]
