"""Decisions that the journal has lost, taken over from what lies in quarantine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.journal.row_mapping import insert_decision, legible, micros, place_row, scores_row
from culld.journal.states import PlanState
from culld.records import Verdict

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from culld.records import Place, Scores


@dataclass(frozen=True, slots=True)
class Adopted:
    """A photo in quarantine: where it came from and is, its digests when judged and now, and why it was taken."""

    plan: str
    made_at: datetime
    origin: Place
    now: Place
    judged: str
    digest: str
    scores: Scores | None
    reason: str
    keywords: tuple[str, ...]
    model: str
    policy: str


def adopt(db: sqlite3.Connection, photo: Adopted) -> bool:
    """Write the decision that took a photo, as one that was carried out; False if the journal has it."""
    if db.execute("SELECT 1 FROM decision WHERE plan = ?", (photo.plan,)).fetchone():
        return False
    (root, relative), (now_root, now_relative) = place_row(photo.origin), place_row(photo.now)
    row = {
        "plan": photo.plan,
        "made_at": micros(photo.made_at),
        "root": root,
        "relative": relative,
        "digest": photo.judged,
        **scores_row(photo.scores),
        "verdict": Verdict.QUARANTINE.value,
        "reason": legible(photo.reason),
        "keywords": json.dumps(photo.keywords),
        "model": legible(photo.model),
        "policy": legible(photo.policy),
        "state": PlanState.DONE,
        "closed_at": micros(photo.made_at),
        "now_root": now_root,
        "now_relative": now_relative,
        "now_digest": photo.digest,
    }
    insert_decision(db, row)
    return True
