"""Plans for photos, their outcomes, and the decisions that the journal holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.records.enums import PlanState, Verdict
from culld.records.photo import Scores

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from culld.records.enums import Defect, SeriesKind
    from culld.records.photo import FileStat, Photo, RootedPath, Stack


@dataclass(frozen=True, slots=True)
class Edit:
    """At byte `offset` of the old file, `removed` is replaced by `inserted`."""

    offset: int
    removed: bytes
    inserted: bytes


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A lossless change of one file, as byte edits between two digests; `before` is None for a file that is new."""

    place: RootedPath
    before: str | None
    after: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A file's way to another place; `digest` is the SHA-256 it has when it is moved."""

    source: RootedPath
    target: RootedPath
    digest: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will be done with a stack, and why; nothing has been changed yet.

    `rewrites` come first, then `moves` in order, the photo itself last. `keywords` are the tags to add; `notes` say
    what could not be tagged and why. `rule` is the one that decided: `policy.rules.NAME`, or the key of a threshold.
    `would_reject` says that the policy rejects the photo, also if it is not moved (mode, brake).
    """

    id: str
    stack: Stack
    verdict: Verdict
    reason: str
    keywords: tuple[str, ...]
    policy: str
    made_at: datetime
    rewrites: tuple[Rewrite, ...] = ()
    moves: tuple[Move, ...] = ()
    notes: tuple[str, ...] = ()
    rule: str = ""
    would_reject: bool = False

    @property
    def photo(self) -> Photo:
        """The photo that the plan is about."""
        return self.stack.primary.photo


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan: where the photo is now, or the fault that stopped it and when to try again.

    `unfinished` says that files of the plan are on both sides; the plan stays open, and a replay carries it on.
    """

    plan: Plan
    now: RootedPath
    stamp: FileStat | None
    digest: str
    note: str = ""
    fault: str | None = None
    retry_after: timedelta | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """A plan that the journal holds as begun but not ended; `digest` is the photo's as it was judged."""

    id: str
    photo: RootedPath
    digest: str
    rewrites: tuple[Rewrite, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class TaggedFiles:
    """A photo that culld wrote to: where it was and is, its digest before, and the rewrites, in their order."""

    plan: str
    made_at: datetime
    photo: RootedPath
    now: RootedPath
    digest: str
    rewrites: tuple[Rewrite, ...]

    def follow(self, rewrite: Rewrite) -> Rewrite:
        """The rewrite at the place where its file is now: beside the photo, and renamed with it.

        A photo that was restored as `a~3fa9c2d4.jpg`, because its name was taken, has the sidecar
        `a~3fa9c2d4.jpg.xmp`; the file called `a.jpg.xmp` belongs to another photo.
        """
        return replace(rewrite, place=self.now.beside(self._renamed(rewrite.place.relative.name)))

    def _renamed(self, name: str) -> str:
        before, after = self.photo.relative, self.now.relative
        for old, new in ((before.name, after.name), (before.stem, after.stem)):
            if name[: len(old)].casefold() == old.casefold():
                return new + name[len(old) :]
        return name


@dataclass(frozen=True, slots=True)
class SeriesMembership:
    """The series that a photo belonged to when it was decided about, as far as it had arrived then.

    `members` are in the order of time.
    """

    kind: SeriesKind
    members: tuple[RootedPath, ...]


@dataclass(frozen=True, slots=True)
class Decision:
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
    def of(cls, plan: Plan, series_id: str = "") -> Decision:
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
            series=None if series is None else SeriesMembership(series.kind, series.places),
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
