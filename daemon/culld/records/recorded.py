"""The decision about a photo as the journal holds it."""

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
    from culld.records.files import FileStat, RootedPath
    from culld.records.photo import Photo, Series, Stack


@dataclass(frozen=True, slots=True)
class SeriesMembership:
    """The series of a photo at the time of its decision; shots that arrived later are not in it.

    `members` are in the order of time.
    """

    kind: SeriesKind
    members: tuple[RootedPath, ...]

    @classmethod
    def of(cls, series: Series) -> SeriesMembership:
        """Return the membership for a series: its kind and the paths of its members."""
        return cls(series.kind, tuple(member.photo.place for member in series.members))


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision as the journal holds it: the verdict, its inputs, and the state of the photo since.

    - `stack` is the decided stack. Read from the journal it has empty stamps and no series, and holds only siblings
      whose assessments were looked up; `siblings` holds the paths of all of them.
    - `would_reject`: the policy rejects the photo, also if it was not moved (mode, brake).
    - `now` is the last path of the photo that the journal holds, and `now_digest` its digest after the plan; until the
      plan has ended both are those at the decision. `stamp` is the stamp of the file at `now`, None if it is not known.
    - `restored_at` is when the user restored this photo; `content_restored`: the user restored these bytes, by this
      decision or another; `released` is how else the photo left the quarantine, empty if it did not.
    - `series` is the series at the time of the decision; `series_id` is equal in the decisions about all shots of a
      series, also of those that arrived later, and empty for a photo without a series.
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
        """Return the decision of a plan that is not carried out yet."""
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
        """The photo at the time of the decision."""
        return self.stack.primary.photo

    @property
    def place(self) -> RootedPath:
        """The path of the photo at the time of the decision."""
        return self.photo.place

    @property
    def digest(self) -> str:
        """The SHA-256 of the photo at the time of the decision."""
        return self.photo.digest

    @property
    def digests(self) -> frozenset[str]:
        """The SHA-256 of the photo at the decision and after the plan."""
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
        """Whether the user restored this photo from quarantine."""
        return self.restored_at is not None

    @property
    def away(self) -> bool:
        """Whether the photo was moved to quarantine and has not left it, according to the journal."""
        moved = self.verdict is Verdict.QUARANTINE and self.state is PlanState.DONE
        return moved and not self.restored and not self.released

    def score(self, defect: Defect) -> float:
        """Return the probability of a defect, 0..1; 0 if it is not known."""
        found = 0.0 if self.scores is None else self.scores.of(defect)
        return 0.0 if math.isnan(found) else found
