"""The stage `plan`: from a decision to tag edits and moves. No file is changed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld import __version__
from culld.errors import PhotoBlockedError, PhotoError
from culld.files.rewrite import why_not_rewritable
from culld.quarantine.destination import filled_by, plan_moves
from culld.records import Defect, Format, Plan, RootedPath, Scores, Sidecars, SidecarStyle, Verdict, display_path
from culld.stages.decide.decider import user_metadata_request
from culld.stages.group.directory import FolderListing
from culld.stages.group.stacks import shot_id
from culld.stages.read.messages import DraftRequest, UserMetadataCheck
from culld.tags.draft import TagDraft, TagRequest
from culld.tags.names import fits, sidecar_name
from culld.tags.own_properties import DecisionProperties

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.records import Decision, Photo, RejectFlag, Stack

KEYWORDS: Final = {
    Defect.BLUR: "blur",
    Defect.UNDER: "underexposed",
    Defect.OVER: "overexposed",
    Defect.FOCUS: "missed-focus",
}
"""The keyword of each defect without the prefix."""
_MAX_REWRITTEN: Final = 200 << 20
_MAX_COPIED: Final = 512 << 20


@dataclass(frozen=True, slots=True)
class TagSettings:
    """The tag settings of the configuration; `embed`: culld writes keywords into photos, not only into sidecars."""

    prefix: str = "defect:"
    embed: bool = True
    sidecars: Sidecars = Sidecars.ALWAYS
    style: SidecarStyle = SidecarStyle.FULL
    reject_flags: tuple[RejectFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the tag edits and moves of decisions.

    `draft` drafts tag edits in the workers. `quarantine_away` returns, as a clause, why no photo can be moved to the
    quarantine now; empty if photos can be moved. `was_tagged` returns whether culld wrote tags to the photo at a path.
    """

    draft: Callable[[Sequence[DraftRequest]], Sequence[TagDraft | PhotoError]]
    quarantine: Path
    quarantine_away: Callable[[], str]
    settings: TagSettings = TagSettings()
    folders: Callable[[], FolderListing] = FolderListing
    was_tagged: Callable[[RootedPath], bool] = lambda _: False

    def plan(self, decisions: Sequence[Decision]) -> list[Plan | PhotoError]:
        """Return the plan for each decision, in order, or the PhotoError with the reason why there is none.

        It is a PhotoBlockedError if a photo is to be moved to a quarantine that is not available. One request to the
        workers covers all photos.
        """
        listing = self.folders()
        wanted = [self._wanted(decision, listing) for decision in decisions]
        requests = [each.request for each in wanted if isinstance(each, _Wanted) and each.request is not None]
        drafts = iter(self.draft(requests) if requests else ())
        promised: set[RootedPath] = set()
        plans: list[Plan | PhotoError] = []
        for decision, tags in zip(decisions, wanted, strict=True):
            if isinstance(tags, PhotoError):
                plans.append(tags)
                continue
            draft = TagDraft((), ()) if tags.request is None else next(drafts)
            plans.append(draft if isinstance(draft, PhotoError) else self._planned(decision, tags, draft, promised))
        return plans

    def _wanted(self, decision: Decision, listing: FolderListing) -> _Wanted | PhotoError:
        """Return the tags to write for a photo, or the PhotoError that prevents its plan."""
        if decision.verdict is Verdict.QUARANTINE and (why := self.quarantine_away()):
            return PhotoBlockedError(f"the quarantine {display_path(self.quarantine)} {why}")
        is_kept = decision.verdict is Verdict.KEEP
        if decision.verdict is Verdict.UNREADABLE or (is_kept and not self._may_hold_tags(decision.stack)):
            return _Wanted(None)
        try:
            return self._tags(decision, listing)
        except PhotoError as error:
            return error

    def _may_hold_tags(self, stack: Stack) -> bool:
        return bool(stack.sidecars) or self.was_tagged(stack.primary.photo.place)

    def _tags(self, decision: Decision, listing: FolderListing) -> _Wanted:
        """Return the tag request of a photo, and a note for each file that must not be written."""
        photo, primary, settings = decision.photo, decision.stack.primary, self.settings
        assert isinstance(primary.result, Scores)  # noqa: S101 (an unreadable photo is neither tagged nor moved)
        record = DecisionProperties(
            primary.result,
            decision.policy,
            decision.verdict,
            primary.model,
            decision.made_at,
            __version__,
            primary.subject,
        )
        notes = []
        sidecar = None if settings.sidecars is Sidecars.NEVER else self._sidecar(decision.stack, listing)
        if isinstance(sidecar, str):
            notes.append(f"no sidecar was written: {sidecar}")
        embed = settings.embed and photo.format is not Format.VIDEO
        refused = (_too_large(photo) or why_not_rewritable(photo.place)) if embed else None
        if refused:
            notes.append(f"the photo itself was left alone: {refused}")
        request = TagRequest(
            photo.place,
            photo.format,
            photo.digest,
            keywords_of(decision, settings.prefix),
            record,
            None if isinstance(sidecar, str) else sidecar,
            embed and not refused,
            self._reject_flags(decision),
            settings.sidecars is Sidecars.NEEDED,
            self.was_tagged(photo.place),
        )
        check = _check(decision.stack, listing) if decision.would_reject else None
        return _Wanted(DraftRequest(request, check), tuple(notes))

    def _reject_flags(self, decision: Decision) -> tuple[RejectFlag, ...]:
        """Return the reject flags to set on a rejected photo: those whose property the user has not filled."""
        filled = decision.stack.user_metadata.filled_flags
        return tuple(flag for flag in self.settings.reject_flags if flag not in filled) if decision.would_reject else ()

    def _sidecar(self, stack: Stack, listing: FolderListing) -> RootedPath | str:
        """Return the path of the sidecar of a photo, existing or new, or the reason why none is written."""
        photo = stack.primary.photo
        names = [*listing.beside(photo.place), *listing.unclear(photo.place)]
        if photo.format is Format.RAW:  # `a.xmp` of a shot belongs to its RAW
            names = [name for name in names if name not in {each.photo.place.relative.name for each in stack.siblings}]
        name = sidecar_name(photo.place.relative.name, names, self.settings.style)
        if name is None:
            if fits(f"{photo.place.relative.name}.xmp"):
                return "it is unclear which sidecar belongs to this photo"
            return "its name would be too long"
        if listing.is_taken(photo.place, name):
            return f"{display_path(Path(name))} exists and is not a plain file"
        place = photo.place.beside(name)
        return (why_not_rewritable(place) if name in names else _not_copied(photo)) or place

    def _planned(
        self, decision: Decision, tags: _Wanted, draft: TagDraft, promised: set[RootedPath]
    ) -> Plan | PhotoError:
        """Return the plan with its moves; no target is in `promised`, the targets of earlier plans of the batch."""
        plan = replace(
            bare_plan(decision, self.settings.prefix), rewrites=draft.rewrites, notes=tags.refused + draft.notes
        )
        if plan.verdict is not Verdict.QUARANTINE:
            return plan
        try:
            moves = plan_moves(plan, self.quarantine, promised)
        except PhotoError as error:
            return error
        promised |= filled_by(moves)
        return replace(plan, moves=moves)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The draft request of a photo, None without tags to write, and a note for each file that must not be written."""

    request: DraftRequest | None
    refused: tuple[str, ...] = ()


def _check(stack: Stack, listing: FolderListing) -> UserMetadataCheck:
    """Return the check that the user metadata of a rejected photo is unchanged: the user may be rating it now."""
    names = {name.casefold() for member in stack.members for name in listing.names(member.photo.place)}
    return UserMetadataCheck(user_metadata_request(stack), stack.user_metadata, frozenset(names))


def bare_plan(decision: Decision, prefix: str) -> Plan:
    """Return the plan of a decision without edits and moves."""
    return Plan(
        id=_plan_id(decision.stack),
        stack=decision.stack,
        verdict=decision.verdict,
        reason=decision.reason,
        keywords=keywords_of(decision, prefix),
        policy=decision.policy.digest,
        made_at=decision.made_at,
        rule=decision.rule,
        would_reject=decision.would_reject,
    )


def keywords_of(decision: Decision, prefix: str) -> tuple[str, ...]:
    """Return the keywords for the defects of a decision."""
    return tuple(prefix + KEYWORDS[defect] for defect in decision.defects)


def _plan_id(stack: Stack) -> str:
    """Return a new plan id; the plans of one shot share the part before the colon, and are restored together."""
    own, shot = uuid.uuid4().hex, shot_id(stack)
    return f"{shot}:{own}" if shot else own


def _not_copied(photo: Photo) -> str | None:
    """Return why a photo is too large for a new sidecar, else None: copying its metadata needs the file in memory."""
    if photo.format is Format.VIDEO:  # of which only the metadata are read
        return None
    larger = f"the photo is larger than {_MAX_COPIED >> 20} MiB, and its metadata cannot be copied"
    return larger if photo.stamp.size > _MAX_COPIED else None


def _too_large(photo: Photo) -> str | None:
    """Return why a photo is too large to rewrite, else None: the rewrite needs several times its size in memory."""
    return f"it is larger than {_MAX_REWRITTEN >> 20} MiB" if photo.stamp.size > _MAX_REWRITTEN else None
