"""Decisions that the journal has lost, taken over from what lies in quarantine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.journal.rows import legible, micros, place_row
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
    scores = photo.scores
    done = db.execute(
        "INSERT OR IGNORE INTO decision (plan, made_at, root, relative, digest, blur, under, over, verdict, reason,"
        " keywords, model, policy, state, closed_at, now_root, now_relative, now_digest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'done', ?, ?, ?, ?)",
        (
            photo.plan,
            micros(photo.made_at),
            *place_row(photo.origin),
            photo.judged,
            *((scores.blur, scores.under, scores.over) if scores else (None, None, None)),
            Verdict.QUARANTINE.value,
            legible(photo.reason),
            json.dumps(photo.keywords),
            legible(photo.model),
            legible(photo.policy),
            micros(photo.made_at),
            *place_row(photo.now),
            photo.digest,
        ),
    )
    return done.rowcount > 0
