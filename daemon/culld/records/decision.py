"""Plans for photos, their outcomes, and the decisions that the journal holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culld.records.enums import Verdict

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from culld.records.enums import Defect
    from culld.records.photo import FileStat, Photo, RootedPath, Stack
    from culld.records.policy import Policy


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
class Decision:
    """What the policy says of a stack, and why; what follows from it for files is planned later.

    `defects` are those that are tagged. `rule` is the one that decided: `policy.rules.NAME`, or the key of a threshold.
    `would_reject` says that the photo goes, or would go if nothing held moves back (mode, brake); `brief` says in a few
    words what rejects it.
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
        """The same decision for a photo that is not moved just now; `why` is a clause."""
        verdict = Verdict.TAG if self.defects else Verdict.KEEP
        return replace(self, verdict=verdict, reason=f"{self.brief} would be rejected, but {why}")


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
