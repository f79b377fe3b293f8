"""What the journal holds of a decision: one record for everything that is asked of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.records.enums import PlanState, Verdict
from culld.records.photo import Scores

if TYPE_CHECKING:
    from datetime import datetime

    from culld.records.decision import Plan
    from culld.records.enums import Defect, SeriesKind
    from culld.records.photo import FileStat, Photo, RootedPath, Series, Stack


@dataclass(frozen=True, slots=True)
class SeriesMembership:
    """The series that a photo belonged to when it was decided about, as far as it had arrived then.

    `members` are in the order of time.
    """

    kind: SeriesKind
    members: tuple[RootedPath, ...]

    @classmethod
    def of(cls, series: Series) -> SeriesMembership:
        """Return a series without what is known of its members but their places."""
        return cls(series.kind, tuple(member.photo.place for member in series.members))


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision as the journal holds it: what was decided about a photo, from what, and what became of the photo.

    - `stack` is what was decided about. Read from the journal, its stamps are empty, it has no series, and of its
      siblings it holds those whose assessments were looked up; `siblings` are the places of all of them.
    - `would_reject`: the policy rejects the photo, also if it was not moved (mode, brake).
    - `now` is where the photo is, as far as the journal knows, and `now_digest` its digest as the plan left it: both
      as it was judged until the plan has ended. `stamp` is that of the file there, None if it is not known.
    - `restored_at` is when a person brought this photo back; `content_restored`: a person brought these bytes back, by
      this decision or another; `released` is how else the photo left the quarantine, empty if it did not.
    - `series` is the series as it was known at the decision; `series_id` is the same in the decisions about all shots
      of a series, also of those that arrived later, and empty for a photo that is in none.
    """

    plan: str
    made_at: datetime
    stack: Stack
    verdict: Verdict
    reason: str
    keywords: tuple[str, ...]
    policy: str
    rule: str
    would_reject: bool
    state: PlanState
    now: RootedPath
    now_digest: str
    stamp: FileStat | None = None
    note: str = ""
    fault: str | None = None
    restored_at: datetime | None = None
    content_restored: bool = False
    released: str = ""
    siblings: tuple[RootedPath, ...] = ()
    series: SeriesMembership | None = None
    series_id: str = ""

    @classmethod
    def of(cls, plan: Plan, series_id: str = "") -> RecordedDecision:
        """Return the decision of a plan of which nothing is carried out yet."""
        series = plan.stack.series
        return cls(
            plan=plan.id,
            made_at=plan.made_at,
            stack=plan.stack,
            verdict=plan.verdict,
            reason=plan.reason,
            keywords=plan.keywords,
            policy=plan.policy,
            rule=plan.rule,
            would_reject=plan.would_reject,
            state=PlanState.OPEN,
            now=plan.photo.place,
            now_digest=plan.photo.digest,
            siblings=tuple(sibling.photo.place for sibling in plan.stack.siblings),
            series=None if series is None else SeriesMembership.of(series),
            series_id=series_id,
        )

    @property
    def photo(self) -> Photo:
        """The photo as it was judged."""
        return self.stack.primary.photo

    @property
    def place(self) -> RootedPath:
        """Where the photo was judged."""
        return self.photo.place

    @property
    def digest(self) -> str:
        """The digest of the photo as it was judged."""
        return self.photo.digest

    @property
    def digests(self) -> frozenset[str]:
        """The digests of the photo as it was judged and as the plan left it."""
        return frozenset({self.digest, self.now_digest})

    @property
    def scores(self) -> Scores | None:
        """The scores of the photo; None if there are none."""
        result = self.stack.primary.result
        return result if isinstance(result, Scores) else None

    @property
    def model(self) -> str:
        """The network that scored the photo."""
        return self.stack.primary.model

    @property
    def ended(self) -> bool:
        """Whether the plan has ended, carried out or not."""
        return self.state not in {PlanState.OPEN, PlanState.NEEDS_ATTENTION}

    @property
    def restored(self) -> bool:
        """Whether a person brought this photo back from quarantine."""
        return self.restored_at is not None

    @property
    def away(self) -> bool:
        """Whether the photo was moved to quarantine and did not leave it since, as far as the journal knows."""
        moved = self.verdict is Verdict.QUARANTINE and self.state is PlanState.DONE
        return moved and not self.restored and not self.released

    def score(self, defect: Defect) -> float:
        """Return the probability of a defect, 0..1; 0 if it is not known."""
        found = 0.0 if self.scores is None else self.scores.of(defect)
        return 0.0 if math.isnan(found) else found
