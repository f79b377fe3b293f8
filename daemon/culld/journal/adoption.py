"""Decisions that the journal has lost, taken over from what lies in quarantine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.journal.row_mapping import escape_surrogates, insert_decision, place_row, scores_row, to_micros
from culld.journal.states import PlanState
from culld.records import Verdict

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from culld.records import RootedPath, Scores


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """A photo in quarantine: where it came from and is, its digests when judged and now, and why it was taken."""

    plan: str
    made_at: datetime
    origin: RootedPath
    now: RootedPath
    judged: str
    digest: str
    scores: Scores | None
    reason: str
    keywords: tuple[str, ...]
    model: str
    policy: str


def import_record(db: sqlite3.Connection, photo: ImportedRecord) -> bool:
    """Write the decision that took a photo, as one that was carried out; False if the journal has it."""
    if db.execute("SELECT 1 FROM decision WHERE plan = ?", (photo.plan,)).fetchone():
        return False
    (root, relative), (now_root, now_relative) = place_row(photo.origin), place_row(photo.now)
    row = {
        "plan": photo.plan,
        "made_at": to_micros(photo.made_at),
        "root": root,
        "relative": relative,
        "digest": photo.judged,
        **scores_row(photo.scores),
        "verdict": Verdict.QUARANTINE.value,
        "reason": escape_surrogates(photo.reason),
        "keywords": json.dumps(photo.keywords),
        "model": escape_surrogates(photo.model),
        "policy": escape_surrogates(photo.policy),
        "state": PlanState.DONE,
        "closed_at": to_micros(photo.made_at),
        "now_root": now_root,
        "now_relative": now_relative,
        "now_digest": photo.digest,
    }
    insert_decision(db, row)
    return True
