"""The queries of the review page: rows for its index, decisions by their numbers, wishes, and the change signal."""

from __future__ import annotations

import json
import os
import sqlite3
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

from culld.errors import SystemFaultError
from culld.journal.connection import connect_readonly, require_current
from culld.journal.copies import CopyReader
from culld.journal.database_errors import translate_errors
from culld.journal.decisions import DecisionReader
from culld.journal.row_mapping import from_int64, place_of
from culld.journal.wish_reader import WishReader
from culld.records import FileStat

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from culld.ports import Clock
    from culld.records import RecordedDecision, RootedPath

INDEX_COLUMNS: Final = (
    "id", "root", "relative", "verdict", "state", "restored", "released", "unwanted", "blur", "under", "over", "focus",
    "series", "taken", "model", "time_s", "aperture", "iso", "made_at", "rule", "policy", "shot",
)  # fmt: skip
"""The columns of a row of `index_rows`, in this order."""

# The shares of a clip's time are no probabilities: the page simulates the thresholds of photos, which are not for them.
# The format is the first of the facts, so that they need not be parsed for this.
_INDEX: Final = """
SELECT id, root, relative, verdict, state, restored_at IS NOT NULL, released, unwanted,
    CASE WHEN substr(facts, 1, 17) = '{"format":"video"' THEN NULL ELSE blur END,
    CASE WHEN substr(facts, 1, 17) = '{"format":"video"' THEN NULL ELSE under END,
    CASE WHEN substr(facts, 1, 17) = '{"format":"video"' THEN NULL ELSE over END,
    json_extract(facts, '$.focus'), series,
    CAST(strftime('%s', substr(json_extract(facts, '$.camera.taken_at'), 1, 19)) AS INTEGER),
    json_extract(facts, '$.camera.model'), json_extract(facts, '$.camera.exposure.seconds'),
    json_extract(facts, '$.camera.exposure.aperture'), json_extract(facts, '$.camera.exposure.iso'),
    made_at, rule, policy, CASE WHEN instr(plan, ':') THEN substr(plan, 1, instr(plan, ':') - 1) ELSE '' END
FROM decision
"""
_AMONG: Final = "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
_FILE: Final = """
SELECT coalesce(now_root, decision.root), coalesce(now_relative, decision.relative),
    coalesce(now_digest, decision.digest), device, inode, size, mtime_ns, ctime_ns
FROM decision LEFT JOIN item ON item.root = coalesce(now_root, decision.root)
    AND item.relative = coalesce(now_relative, decision.relative)
    AND item.digest = coalesce(now_digest, decision.digest)
WHERE id = ?
"""
_SUPERSEDED: Final = """
WITH new AS (
    SELECT id, root, relative FROM decision WHERE id > :after AND state = 'done'
    UNION SELECT id, root, relative FROM decision
    WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 'done'
)
SELECT old.id, 1 FROM new
JOIN decision AS old ON old.now_root = new.root AND old.now_relative = new.relative AND old.id < new.id
UNION SELECT old.id, 0 FROM new
JOIN decision AS old ON old.root = new.root AND old.relative = new.relative AND old.id < new.id
"""
_SUPERSEDED_AMONG: Final = """
SELECT old.id, 1 FROM decision AS old WHERE id IN (SELECT value FROM json_each(:ids))
AND EXISTS (SELECT 1 FROM decision AS new WHERE new.root = old.now_root AND new.relative = old.now_relative
    AND new.id > old.id AND new.state = 'done')
UNION SELECT old.id, 0 FROM decision AS old WHERE id IN (SELECT value FROM json_each(:ids))
AND EXISTS (SELECT 1 FROM decision AS new WHERE new.root = old.root AND new.relative = old.relative
    AND new.id > old.id AND new.state = 'done')
"""


class ReviewReader(DecisionReader, WishReader, CopyReader):
    """The journal as the review page reads it; every method may raise SystemFaultError."""

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """Open the journal for reading; raises SystemFaultError if there is none, or if it is an older version.

        A user who may only read the folder cannot open the journal of a daemon that was stopped, because SQLite cannot
        create its files `-wal` and `-shm`. Then no process writes to it, and it is opened as a snapshot.
        """
        try:
            return cls._open_shared(path, clock)
        except SystemFaultError as error:
            if not isinstance(error.__cause__, sqlite3.OperationalError) or path.with_name(f"{path.name}-wal").exists():
                raise
        return cls._open_snapshot(path, clock)

    @classmethod
    def _open_shared(cls, path: Path, clock: Clock) -> Self:
        reader = cls(connect_readonly(path), path, clock)
        reader._rows("PRAGMA cache_size = -4096")  # KiB; the system keeps the pages as well
        try:
            reader.count_up_to(0)
        except SystemFaultError:
            reader.close()
            raise
        return reader

    @classmethod
    def _open_snapshot(cls, path: Path, clock: Clock) -> Self:
        with translate_errors(path):
            uri = f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1"
            db = sqlite3.connect(uri, uri=True, isolation_level=None)
            reader = cls(db, path, clock)
            try:
                require_current(db, path)
            except SystemFaultError:
                reader.close()
                raise
        reader.is_snapshot = True
        return reader

    is_snapshot: bool = False
    """Whether it shows no later changes."""

    def version(self) -> int:
        """Return a number that differs after another connection has changed the journal."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def index_rows(self, after: int = 0, ids: Collection[int] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of the index with a higher number than `after`, then those with the given numbers."""
        with translate_errors(self.path):
            yield from self._db.execute(f"{_INDEX} WHERE id > ? ORDER BY id", (after,))
            if ids:
                known = (json.dumps(sorted(ids)),)
                yield from self._db.execute(_INDEX + _AMONG, known)

    def count_up_to(self, number: int) -> int:
        """Return how many decisions have at most this number; there are fewer once old ones were deleted."""
        return int(self._rows("SELECT count(*) FROM decision WHERE id <= ?", (number,))[0][0])

    def left_quarantine(self) -> list[tuple[int, int, str]]:
        """Return the number, whether it was restored, and `released` of each reject that is not in quarantine."""
        rows = self._rows(
            "SELECT id, restored_at IS NOT NULL, released FROM decision WHERE verdict <> 'keep'"
            " AND verdict = 'quarantine' AND (restored_at IS NOT NULL OR released <> '')"
        )
        return [tuple(row) for row in rows]

    def answers(self) -> list[tuple[int, str]]:
        """Return the number of each decision with an answer, and the answer."""
        return [tuple(row) for row in self._rows("SELECT decision, answer FROM answer")]

    def superseded_by(self, after: int, ids: Collection[int] = ()) -> list[tuple[int, bool]]:
        """Return the decisions with a later one at a path of their photo that was carried out.

        The later ones are those with a higher number than `after`, and the given ones. Each number comes with whether
        the path is that of the photo now (True) or that at the decision (False).
        """
        rows = self._rows(_SUPERSEDED, {"after": after, "ids": json.dumps(sorted(ids))})
        return [(number, bool(is_now)) for number, is_now in rows]

    def superseded_among(self, ids: Collection[int]) -> list[tuple[int, bool]]:
        """Return those of some decisions that have a later one, as `superseded_by` does."""
        rows = self._rows(_SUPERSEDED_AMONG, {"ids": json.dumps(sorted(ids))}) if ids else []
        return [(number, bool(is_now)) for number, is_now in rows]

    def plans_of(self, ids: Sequence[int]) -> list[str]:
        """Return the plans of some decisions, by their numbers; those that do not exist are left out."""
        asked = (json.dumps(list(ids)),)
        rows = self._rows("SELECT plan FROM decision WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", asked)
        return [plan for (plan,) in rows]

    def file_of(self, number: int) -> tuple[RootedPath, str, FileStat | None] | None:
        """Return where the photo of a decision is now, its digest, and its stamp if it is known; None without one."""
        rows = self._rows(_FILE, (number,))
        if not rows:
            return None
        root, relative, digest, device, *others = rows[0]
        stamp = None if device is None else FileStat(from_int64(device), from_int64(others[0]), *others[1:])
        return place_of(root, relative), digest, stamp

    def numbered(self, ids: Sequence[int]) -> dict[int, RecordedDecision]:
        """Return the decisions with these numbers, those that exist."""
        asked = (json.dumps(list(ids)),)
        numbers = self._rows("SELECT plan, id FROM decision WHERE id IN (SELECT value FROM json_each(?))", asked)
        plans = dict(map(tuple, numbers))
        found = self._decisions("decision.id IN (SELECT value FROM json_each(?))", asked)
        return {plans[each.plan]: each for each in found if each.plan in plans}

    def wish_marks(self) -> tuple[object, ...]:
        """Return numbers that differ after a wish was taken, carried out in part, or ended."""
        return tuple(
            self._rows(
                "SELECT (SELECT count(*) FROM wish), (SELECT count(*) FROM wish WHERE ended_at IS NULL),"
                " (SELECT count(*) FROM wish_item WHERE state = 'waiting')"
            )[0]
        )
