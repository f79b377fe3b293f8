"""The files that plans wrote tags to, read from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.journal.connection import Database
from culld.journal.database_errors import translate_errors
from culld.journal.plans import rewrites_of
from culld.journal.row_mapping import SELECT_DECISIONS, decision_of, place_of, place_row
from culld.records import TaggedFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culld.records import RecordedDecision, RootedPath

_WROTE_TO_FILES = "decision.id IN (SELECT decision FROM rewrite)"


class TagReader(Database):
    """Reads which files were tagged, by which plans."""

    def tagged(self, place: RootedPath) -> list[TaggedFiles]:
        """Return the decisions that wrote to files of the photo that is now at a path, the newest first."""
        return self._tagged("now_root = ? AND now_relative = ?", place_row(place))

    def is_tagged(self, place: RootedPath) -> bool:
        """Return whether a decision wrote to files of the photo that is now at a path."""
        return bool(
            self._rows(
                "SELECT 1 FROM decision WHERE now_root = ? AND now_relative = ?"
                " AND EXISTS (SELECT 1 FROM rewrite WHERE rewrite.decision = decision.id) LIMIT 1",
                place_row(place),
            )
        )

    def tagged_by(self, plan: str) -> list[TaggedFiles]:
        """Return the decisions that wrote to files, of a plan and earlier ones about its path, the newest first."""
        return self._tagged(
            "now_root IS NOT NULL AND (decision.root, decision.relative) ="
            " (SELECT root, relative FROM decision WHERE plan = ?1)"
            " AND decision.id <= (SELECT id FROM decision WHERE plan = ?1)",
            (plan,),
        )

    def tagged_places(self) -> list[RootedPath]:
        """Return the current paths of the photos that culld wrote to, those of the newest decisions first."""
        rows = self._rows(
            "SELECT now_root, now_relative FROM decision WHERE now_root IS NOT NULL"
            " AND id IN (SELECT decision FROM rewrite) GROUP BY now_root, now_relative ORDER BY max(id) DESC"
        )
        return [place_of(*row) for row in rows]

    def _decisions(self, where: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[RecordedDecision]:
        return [decision_of(row) for row in self._rows(f"{SELECT_DECISIONS} WHERE {where}", values)]

    def _tagged(self, where: str, values: Sequence[object]) -> list[TaggedFiles]:
        found = self._decisions(f"{_WROTE_TO_FILES} AND {where} ORDER BY decision.id DESC", values)
        with translate_errors(self.path):
            return [
                TaggedFiles(
                    each.plan, each.made_at, each.place, each.now, each.digest, rewrites_of(self._db, each.plan)
                )
                for each in found
            ]
