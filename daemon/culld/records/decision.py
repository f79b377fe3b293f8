"""Plans for photos, their outcomes, and the decisions that the journal holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.records.enums import Verdict

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from culld.records.enums import Defect
    from culld.records.files import FileStat, RootedPath
    from culld.records.photo import Photo, Stack
    from culld.records.policy import Policy


@dataclass(frozen=True, slots=True)
class Edit:
    """At byte `offset` of the old file, `removed` is replaced by `inserted`."""

    offset: int
    removed: bytes
    inserted: bytes


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A lossless change of one file: byte edits and the SHA-256 before and after; `before` is None for a new file."""

    place: RootedPath
    before: str | None
    after: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """The move of one file; `digest` is its SHA-256 at the time of the move."""

    source: RootedPath
    target: RootedPath
    digest: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict of the policy about a stack, and the reason; tag edits and moves are planned later.

    `defects` are those that are tagged. `rule` is the deciding one: `policy.rules.NAME`, or the key of a threshold.
    `would_reject`: the policy rejects the photo, also if it is not moved (mode, brake); `brief` is the short reason of
    the reject.
    """

    stack: Stack
    verdict: Verdict
    reason: str
    policy: Policy
    made_at: datetime
    defects: tuple[Defect, ...] = ()
    rule: str = ""
    would_reject: bool = False
    brief: str = ""

    @property
    def photo(self) -> Photo:
        """The photo that the decision is about."""
        return self.stack.primary.photo

    def held_back(self, why: str) -> Decision:
        """Return the decision with a verdict that does not move the photo; `why` is the reason, as a clause."""
        verdict = Verdict.TAG if self.defects else Verdict.KEEP
        return replace(self, verdict=verdict, reason=f"{self.brief} would be rejected, but {why}")


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes to make to the files of a stack, and the reason; no file is changed yet.

    `rewrites` come first, then `moves` in order, the photo itself last. `keywords` are the keywords to add; `notes`
    name what could not be tagged and why. `rule` is the deciding one: `policy.rules.NAME`, or the key of a threshold.
    `would_reject`: the policy rejects the photo, also if it is not moved (mode, brake).
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
    """The result of a plan: the path of the photo now, or the fault that stopped the plan and when to try again.

    `unfinished`: only some changes of the plan may be made; the plan stays open, and a replay finishes it.
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
    """A plan that the journal holds as begun and not ended; `digest` is the SHA-256 of the photo at the decision."""

    id: str
    photo: RootedPath
    digest: str
    rewrites: tuple[Rewrite, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class TaggedFiles:
    """A tagged photo: its path at the decision and now, its digest before, and the rewrites in order."""

    plan: str
    made_at: datetime
    photo: RootedPath
    now: RootedPath
    digest: str
    rewrites: tuple[Rewrite, ...]

    def follow(self, rewrite: Rewrite) -> Rewrite:
        """Return the rewrite with the path of its file now: beside the photo, and renamed with it.

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
