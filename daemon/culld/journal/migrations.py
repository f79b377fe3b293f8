"""The tables, as numbered steps that each run once and in one transaction.

Paths are BLOBs, since file names are bytes. Moments are whole microseconds since 1970 in UTC. A released step is never
edited; a change is a new step at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.errors import SystemFaultError

if TYPE_CHECKING:
    import sqlite3

_FIRST = """
-- One row per file that was judged or tried, with its stamp then; the scanner skips a file that still has that stamp.
CREATE TABLE item (
    root BLOB NOT NULL, relative BLOB NOT NULL,
    device INTEGER, inode INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
    digest TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('decided', 'fault', 'open', 'restored')),
    reason TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0, not_before INTEGER,
    PRIMARY KEY (root, relative)
) WITHOUT ROWID;
CREATE INDEX item_fault ON item (not_before) WHERE state = 'fault';

-- One row per plan, written before any file changes and closed with its outcome.
CREATE TABLE decision (
    id INTEGER PRIMARY KEY, plan TEXT NOT NULL UNIQUE, made_at INTEGER NOT NULL,
    root BLOB NOT NULL, relative BLOB NOT NULL, digest TEXT NOT NULL,
    blur REAL, under REAL, over REAL,
    verdict TEXT NOT NULL, reason TEXT NOT NULL, keywords TEXT NOT NULL, model TEXT NOT NULL, policy TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'fault', 'forgotten', 'parked')),
    closed_at INTEGER, now_root BLOB, now_relative BLOB, now_digest TEXT,
    note TEXT NOT NULL DEFAULT '', fault TEXT, restored_at INTEGER
);
CREATE INDEX decision_unfinished ON decision (id) WHERE state IN ('open', 'parked');
CREATE INDEX decision_made_at ON decision (made_at);
CREATE INDEX decision_digest ON decision (digest);

CREATE TABLE rewrite (
    decision INTEGER NOT NULL REFERENCES decision (id) ON DELETE CASCADE, step INTEGER NOT NULL,
    root BLOB NOT NULL, relative BLOB NOT NULL, before TEXT, after TEXT NOT NULL,
    PRIMARY KEY (decision, step)
) WITHOUT ROWID;
-- The bytes that a rewrite removed are kept, so that it can be undone.
CREATE TABLE edit (
    decision INTEGER NOT NULL, step INTEGER NOT NULL, number INTEGER NOT NULL,
    offset INTEGER NOT NULL, removed BLOB NOT NULL, inserted BLOB NOT NULL,
    PRIMARY KEY (decision, step, number),
    FOREIGN KEY (decision, step) REFERENCES rewrite (decision, step) ON DELETE CASCADE
);
CREATE TABLE move (
    decision INTEGER NOT NULL REFERENCES decision (id) ON DELETE CASCADE, step INTEGER NOT NULL,
    source_root BLOB NOT NULL, source_relative BLOB NOT NULL,
    target_root BLOB NOT NULL, target_relative BLOB NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (decision, step)
) WITHOUT ROWID;

-- Contents that the user restored; none of them is ever moved again.
CREATE TABLE restored (digest TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

-- The values that the daemon stores for `culld status`.
CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
"""

_SECOND = """
-- The device of each configured folder when it was last used, to distinguish the folder from an empty mount point.
CREATE TABLE folder (path BLOB PRIMARY KEY, device INTEGER NOT NULL) WITHOUT ROWID;
"""

_THIRD = """
-- What a decision was made from, besides the scores: format, camera and the like, as JSON.
ALTER TABLE decision ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
-- When the photo was taken, by the camera's clock; the rule that decided; and whether the photo matches the reject
-- rules, also where the mode or the brake prevents the move.
ALTER TABLE decision ADD COLUMN taken_at INTEGER;
ALTER TABLE decision ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN unwanted INTEGER NOT NULL DEFAULT 0;
-- How a photo left the quarantine without being restored by the user: 'policy' (a new one lets it stay) or 'trash'.
ALTER TABLE decision ADD COLUMN released TEXT NOT NULL DEFAULT '';
UPDATE decision SET unwanted = 1 WHERE verdict = 'quarantine';
CREATE INDEX decision_taken_at ON decision (taken_at);
CREATE INDEX decision_now_digest ON decision (now_digest);
CREATE INDEX decision_place ON decision (root, relative);
CREATE INDEX decision_now ON decision (now_root, now_relative);
"""

_FOURTH = """
-- The id of the series that the photo belongs to, empty for none. All photos of a series have the same one,
-- also those decided about before the others arrived. Kind and members as known at the decision are in `facts`.
ALTER TABLE decision ADD COLUMN series TEXT NOT NULL DEFAULT '';
CREATE INDEX decision_series ON decision (series) WHERE series != '';
"""

_FIFTH = """
-- What people answered to decisions on the review page; a photo that was restored has its answer in `restored_at`.
CREATE TABLE answer (
    decision INTEGER PRIMARY KEY REFERENCES decision (id) ON DELETE CASCADE,
    answer TEXT NOT NULL CHECK (answer IN ('right', 'untagged')), at INTEGER NOT NULL
);
-- The wishes that were taken from the folder of wishes. A wish with a known id is never taken again.
CREATE TABLE wish (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, policy TEXT NOT NULL DEFAULT '',
    taken_at INTEGER NOT NULL, ended_at INTEGER
) WITHOUT ROWID;
CREATE INDEX wish_open ON wish (taken_at) WHERE ended_at IS NULL;
CREATE TABLE wish_item (
    wish TEXT NOT NULL REFERENCES wish (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    decision INTEGER NOT NULL, seen TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'changed', 'failed')),
    note TEXT NOT NULL DEFAULT '', now INTEGER,
    -- Whether files may have been changed for it: after a crash its work is finished, not refused.
    begun INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (wish, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX wish_item_decision ON wish_item (wish, decision);
CREATE INDEX wish_item_waiting ON wish_item (wish, begun DESC, number) WHERE state = 'waiting';
INSERT INTO answer SELECT id, 'untagged', restored_at FROM decision WHERE verdict = 'tag' AND restored_at IS NOT NULL;
-- The photos that the review page lists first.
CREATE INDEX decision_not_kept ON decision (taken_at, id) WHERE verdict <> 'keep';
"""

_SIXTH = """
-- The repaired copies of photos. A copy is begun before its file is written: after a crash a file with its path and
-- digest is the copy, and without one it waits again.
CREATE TABLE copy (
    decision INTEGER PRIMARY KEY REFERENCES decision (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'begun', 'made', 'none', 'failed', 'removed')),
    root BLOB, relative BLOB, digest TEXT NOT NULL DEFAULT '',
    repair TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
    asked_at INTEGER NOT NULL, ended_at INTEGER, by_person INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0, not_before INTEGER
);
CREATE INDEX copy_waiting ON copy (by_person DESC, asked_at, decision) WHERE state = 'waiting';
CREATE INDEX copy_begun ON copy (decision) WHERE state = 'begun';
CREATE INDEX decision_unwanted ON decision (policy, id) WHERE unwanted;
"""

STEPS = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH)
"""The steps in order; `PRAGMA user_version` is the number of those that were run."""


def migrate(db: sqlite3.Connection) -> None:
    """Run the steps that are missing; raises SystemFaultError for a database of a newer culld."""
    (taken,) = db.execute("PRAGMA user_version").fetchone()
    require_known(taken)
    for number, step in enumerate(STEPS[taken:], start=taken + 1):
        # executescript would commit on its own, so the transaction is part of the script.
        db.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")


def require_known(version: int) -> None:
    """Raise SystemFaultError for a version that this culld does not know."""
    if version > len(STEPS):
        raise SystemFaultError(
            f"the journal was written by a newer culld (its version {version}, known here {len(STEPS)}); upgrade culld"
        )
