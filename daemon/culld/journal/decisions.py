"""The reading half of the journal: decisions with the current state of their photos, and counts of decisions."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from culld.journal import file_state
from culld.journal.database_errors import translate_errors
from culld.journal.file_state import OpenFault
from culld.journal.plans import moves_of, rewrites_of
from culld.journal.row_mapping import moment_of, place_of, place_row, to_micros
from culld.journal.tagged import TagReader
from culld.records import OpenPlan, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from culld.records import Assessment, FileStat, RecordedDecision, RootedPath

_QUARANTINED = "verdict = 'quarantine' AND decision.state = 'done'"


class DecisionReader(TagReader):
    """The queries of the journal."""

    def decisions(
        self, limit: int = 50, since: datetime | None = None, verdict: Verdict | None = None
    ) -> list[RecordedDecision]:
        """Return past decisions, the newest first."""
        return self._decisions(
            "(:since IS NULL OR made_at >= :since) AND (:verdict IS NULL OR verdict = :verdict)"
            " ORDER BY made_at DESC, decision.id DESC LIMIT :limit",
            {"since": _micros(since), "verdict": verdict, "limit": limit},
        )

    def history_of(self, place: RootedPath) -> list[RecordedDecision]:
        """Return every decision about photos that were or are at a path, the oldest first."""
        return self._decisions(
            "(decision.root = ?1 AND decision.relative = ?2) OR (now_root = ?1 AND now_relative = ?2)"
            " ORDER BY decision.id",
            place_row(place),
        )

    def latest_decisions(self, since: datetime | None = None) -> list[RecordedDecision]:
        """Return the last decision about each photo that was carried out since a moment, the oldest first.

        A stack holds those siblings that have a decision among the returned ones.
        """
        found = self._decisions(
            "decision.state = 'done' AND (?1 IS NULL OR made_at >= ?1) ORDER BY decision.id", (_micros(since),)
        )
        return _with_siblings(_last_of_each(found))

    def series(self, since: datetime | None = None) -> list[list[RecordedDecision]]:
        """Return the last decision about each photo of each series of which a photo was judged since a moment.

        The photos of a series are in the order of time.
        """
        found = self._decisions(
            "decision.state = 'done' AND (decision.root, decision.relative) IN (SELECT root, relative FROM decision"
            " WHERE series != '' AND series IN (SELECT series FROM decision WHERE series != ''"
            " AND (?1 IS NULL OR made_at >= ?1))) ORDER BY decision.id",
            (_micros(since),),
        )
        series: dict[str, list[RecordedDecision]] = {}
        for decision in sorted(_last_of_each(found), key=_taken_at):
            if decision.series_id:
                series.setdefault(decision.series_id, []).append(decision)
        return list(series.values())

    def series_around(self, plan: str, series_id: str) -> list[int]:
        """Return the numbers of the decisions about the photos of a series, those taken nearest to a decision first.

        `plan` is that of the decision. Later decisions about these photos that name no series are among them: those of
        a person, or of another policy. A later photo at a path of the series is not.
        """
        # The plus keeps SQLite from reading the whole series again for each member.
        rows = self._rows(
            "SELECT DISTINCT later.id, abs(coalesce(later.taken_at, later.made_at) - here.at)"
            " FROM (SELECT coalesce(taken_at, made_at) AS at FROM decision WHERE plan = :plan) AS here"
            " JOIN decision AS member ON member.series = :series AND member.series != ''"
            " JOIN decision AS later ON later.root = member.root AND later.relative = member.relative"
            " AND (+later.series = :series OR later.digest IN (member.digest, member.now_digest)"
            " OR later.now_digest IN (member.digest, member.now_digest))"
            " ORDER BY 2, 1",
            {"plan": plan, "series": series_id},
        )
        return [int(number) for number, _ in rows]

    def rejects(self, since: datetime | None = None) -> list[RecordedDecision]:
        """Return the decisions that moved photos to quarantine since a moment, the oldest first."""
        return self._decisions(
            f"{_QUARANTINED} AND (?1 IS NULL OR made_at >= ?1) ORDER BY decision.id", (_micros(since),)
        )

    def quarantined(self, digest: str) -> list[RecordedDecision]:
        """Return the decisions that moved photos with these bytes and that were not undone, the oldest first.

        Decisions about photos that were deleted from quarantine are among them.
        """
        return self._decisions(
            f"{_QUARANTINED} AND restored_at IS NULL AND released IN ('', 'deleted')"
            " AND (decision.digest = ?1 OR now_digest = ?1) ORDER BY decision.id",
            (digest,),
        )

    def reject(self, plan: str) -> RecordedDecision | None:
        """Return the decision of a plan that moved a photo to quarantine; None if it did not, or is not known."""
        return next(iter(self._decisions(f"{_QUARANTINED} AND plan = ?", (plan,))), None)

    def assessments_at(self, place: RootedPath, stamp: FileStat) -> Assessment | None:
        """Return the last assessment of the file at a path if the file has this stamp; None if it is not known."""
        with translate_errors(self.path):
            digest = file_state.digest_with_stamp(self._db, place, stamp)
        found = self._decisions(
            "decision.root = ? AND decision.relative = ? AND decision.state = 'done' AND facts != '{}'"
            " ORDER BY decision.id DESC LIMIT 1",
            place_row(place),
        )
        if digest is None or not found:
            return None
        photo = replace(found[0].photo, stamp=stamp, digest=digest or found[0].now_digest)
        return replace(found[0].stack.primary, photo=photo)

    def is_decided_after(self, number: int, place: RootedPath) -> bool:
        """Return whether a decision with a higher number, about the photo at a path, was carried out."""
        return bool(
            self._rows(
                "SELECT 1 FROM decision WHERE root = ? AND relative = ? AND id > ? AND state = 'done' LIMIT 1",
                (*place_row(place), number),
            )
        )

    def assessment_of_content(self, digest: str) -> Assessment | None:
        """Return the last assessment of these bytes, before or after they were tagged; None if there is none."""
        found = self._decisions(
            "(decision.digest = ?1 OR now_digest = ?1) AND decision.state = 'done' AND blur IS NOT NULL"
            " ORDER BY decision.id DESC LIMIT 1",
            (digest,),
        )
        return found[0].stack.primary if found else None

    def shots_between(self, root: Path, first: datetime, last: datetime, but: Collection[str]) -> list[Assessment]:
        """Return the last assessments of the photos of a watched folder that were taken between two moments.

        The photos may have been moved: their paths are those at which they were judged, their stamps are NO_STAMP.
        Copies of the bytes with the digests in `but` are left out.
        """
        found = self._decisions(
            "decision.root = ? AND taken_at BETWEEN ? AND ? AND decision.state = 'done' ORDER BY decision.id",
            (os.fsencode(root), to_micros(first), to_micros(last)),
        )
        shots = {shot.place: shot.stack.primary for shot in found if shot.digests.isdisjoint(but)}
        return list(shots.values())

    def unfinished(self) -> list[OpenPlan]:
        """Return every plan that has not ended, also the parked ones, the oldest first."""
        found = self._decisions("decision.state IN ('open', 'parked') ORDER BY decision.id")
        with translate_errors(self.path):
            return [
                OpenPlan(
                    each.plan, each.place, each.digest, rewrites_of(self._db, each.plan), moves_of(self._db, each.plan)
                )
                for each in found
            ]

    def counts(self, since: datetime | None = None) -> dict[Verdict, int]:
        """Return how many decisions were carried out, by verdict; verdicts that did not occur count 0."""
        rows = self._rows(
            "SELECT verdict, count(*) FROM decision WHERE state = 'done' AND (?1 IS NULL OR made_at >= ?1)"
            " GROUP BY verdict",
            (_micros(since),),
        )
        return dict.fromkeys(Verdict, 0) | {Verdict(verdict): count for verdict, count in rows}

    def unwanted(self, since: datetime | None = None) -> int:
        """Return how many photos match the reject rules by their last decision, but were not moved: mode or brake."""
        ((count,),) = self._rows(
            "SELECT count(*) FROM decision WHERE unwanted AND verdict != 'quarantine' AND state = 'done'"
            " AND (?1 IS NULL OR made_at >= ?1) AND id = (SELECT max(id) FROM decision AS later"
            " WHERE later.root = decision.root AND later.relative = decision.relative AND later.state = 'done')",
            (_micros(since),),
        )
        return int(count)

    def recently_moving(self, limit: int, since: datetime | None) -> list[tuple[RootedPath, bool]]:
        """Return the readable photos of the last decisions, the oldest first, each with whether it was to be moved.

        At most `limit` decisions count, and only those made after `since`; rejects by a person do not.
        """
        rows = self._rows(
            "SELECT root, relative, verdict = 'quarantine' FROM decision WHERE verdict != 'unreadable'"
            " AND rule != 'person' AND (:since IS NULL OR made_at > :since) ORDER BY id DESC LIMIT :limit",
            {"since": _micros(since), "limit": limit},
        )
        return [(place_of(root, relative), bool(moved)) for root, relative, moved in reversed(rows)]

    def open_faults(self) -> list[OpenFault]:
        """Return the files that wait for another try or for the user, the next due first."""
        rows = self._rows(
            "SELECT root, relative, reason, tries, not_before FROM item WHERE state IN ('fault', 'open')"
            " ORDER BY not_before IS NULL, not_before"
        )
        return [
            OpenFault(place_of(root, relative), reason, tries, None if due is None else moment_of(due))
            for root, relative, reason, tries, due in rows
        ]

    def status(self) -> dict[str, tuple[str, datetime]]:
        """Return the values that the daemon last stored for `culld status`, by key, each with its moment."""
        return {key: (value, moment_of(at)) for key, value, at in self._rows("SELECT key, value, at FROM note")}


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _taken_at(decision: RecordedDecision) -> tuple[datetime, Path]:
    return decision.photo.camera.taken_at or decision.made_at, decision.place.path


def _last_of_each(found: Iterable[RecordedDecision]) -> list[RecordedDecision]:
    """Return the last decision about each photo; a photo in quarantine and a later one at its path are two photos."""
    return list({(each.place, each.plan if each.away else ""): each for each in found}.values())


def _with_siblings(found: Sequence[RecordedDecision]) -> list[RecordedDecision]:
    """Return the decisions with the siblings in their stacks."""
    judged = {each.place: each.stack.primary for each in found}

    def completed(decision: RecordedDecision) -> RecordedDecision:
        siblings = tuple(judged[place] for place in decision.siblings if place in judged)
        return replace(decision, stack=replace(decision.stack, siblings=siblings)) if siblings else decision

    return [completed(each) for each in found]
