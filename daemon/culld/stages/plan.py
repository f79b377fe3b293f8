"""The stage `plan`: from a decision to the edits of tags and the moves; nothing is changed yet."""

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
from culld.tags.decision_properties import DecisionProperties
from culld.tags.draft import TagDraft, TagRequest
from culld.tags.names import fits, sidecar_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culld.records import Decision, Photo, RejectFlag, Stack

KEYWORDS: Final = {Defect.BLUR: "blur", Defect.UNDER: "underexposed", Defect.OVER: "overexposed"}
"""The keyword of each defect, behind the prefix, as photo programs show it."""
_MAX_REWRITTEN: Final = 200 << 20
_MAX_COPIED: Final = 512 << 20


@dataclass(frozen=True, slots=True)
class TagSettings:
    """What the configuration says of tags: `embed` whether photos themselves are written to."""

    prefix: str = "defect:"
    embed: bool = True
    sidecars: Sidecars = Sidecars.ALWAYS
    style: SidecarStyle = SidecarStyle.FULL
    reject_flags: tuple[RejectFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans what follows from decisions.

    `draft` has the workers draft tags. `quarantine_away` says why nothing can be moved to the quarantine now, as a
    clause; empty if it can.
    """

    draft: Callable[[Sequence[DraftRequest]], Sequence[TagDraft | PhotoError]]
    quarantine: Path
    quarantine_away: Callable[[], str]
    settings: TagSettings = TagSettings()
    folders: Callable[[], FolderListing] = FolderListing

    def plan(self, decisions: Sequence[Decision]) -> list[Plan | PhotoError]:
        """The plan for each decision, in order: edits of bytes, moves; or the PhotoError that says why there is none.

        That is a PhotoBlockedError if a photo is to be moved to a quarantine that is not there. The workers are asked
        about all photos together.
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
        """What is to be written about a photo, or why its decision cannot be carried out now."""
        if decision.verdict is Verdict.QUARANTINE and (why := self.quarantine_away()):
            return PhotoBlockedError(f"the quarantine {display_path(self.quarantine)} {why}")
        is_untouched = decision.verdict is Verdict.KEEP and not decision.stack.sidecars
        if decision.verdict is Verdict.UNREADABLE or is_untouched:
            return _Wanted(None)
        try:
            return self._tags(decision, listing)
        except PhotoError as error:
            return error

    def _tags(self, decision: Decision, listing: FolderListing) -> _Wanted:
        """The request for the tags of a photo, and a sentence for each file that must not be written."""
        photo, primary, settings = decision.photo, decision.stack.primary, self.settings
        assert isinstance(primary.result, Scores)  # noqa: S101 (an unreadable photo is neither tagged nor moved)
        record = DecisionProperties(
            primary.result, decision.policy, decision.verdict, primary.model, decision.made_at, __version__
        )
        notes = []
        sidecar = None if settings.sidecars is Sidecars.NEVER else self._sidecar(decision.stack, listing)
        if isinstance(sidecar, str):
            notes.append(f"no sidecar was written: {sidecar}")
        refused = (_too_large(photo) or why_not_rewritable(photo.place)) if settings.embed else None
        if refused:
            notes.append(f"the photo itself was left alone: {refused}")
        request = TagRequest(
            photo.place,
            photo.format,
            photo.digest,
            keywords_of(decision, settings.prefix),
            record,
            None if isinstance(sidecar, str) else sidecar,
            settings.embed and not refused,
            self._reject_flags(decision),
            settings.sidecars is Sidecars.NEEDED,
        )
        check = _check(decision.stack, listing) if decision.would_reject else None
        return _Wanted(DraftRequest(request, check), tuple(notes))

    def _reject_flags(self, decision: Decision) -> tuple[RejectFlag, ...]:
        """The flags that are set on a photo that goes, or would go, where a person has not filled their fields."""
        filled = decision.stack.user_metadata.filled_flags
        return tuple(flag for flag in self.settings.reject_flags if flag not in filled) if decision.would_reject else ()

    def _sidecar(self, stack: Stack, listing: FolderListing) -> RootedPath | str:
        """Where the sidecar of a photo is or will be, or why there can be none."""
        photo = stack.primary.photo
        names = [*listing.beside(photo.place), *listing.unclear(photo.place)]
        if photo.format is Format.RAW:  # of a shot, `a.xmp` is the RAW's
            names = [name for name in names if name not in {each.photo.place.relative.name for each in stack.siblings}]
        name = sidecar_name(photo.place.relative.name, names, self.settings.style)
        if name is None:
            if fits(f"{photo.place.relative.name}.xmp"):
                return "which one belongs to this photo is not clear"
            return "its name would be too long"
        if listing.is_taken(photo.place, name):
            return f"{display_path(Path(name))} is the name of something that is no plain file"
        place = photo.place.beside(name)
        return (why_not_rewritable(place) if name in names else _not_copied(photo)) or place

    def _planned(
        self, decision: Decision, tags: _Wanted, draft: TagDraft, promised: set[RootedPath]
    ) -> Plan | PhotoError:
        """The plan with its moves, to places that no earlier plan of the batch was `promised`."""
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
    """What is to be written about a photo, if anything, and a sentence for each file that must not be written."""

    request: DraftRequest | None
    refused: tuple[str, ...] = ()


def _check(stack: Stack, listing: FolderListing) -> UserMetadataCheck:
    """What must still be so when a photo that goes, or would go, is planned: a person may just now be rating it."""
    names = {name.casefold() for member in stack.members for name in listing.names(member.photo.place)}
    return UserMetadataCheck(user_metadata_request(stack), stack.user_metadata, frozenset(names))


def bare_plan(decision: Decision, prefix: str) -> Plan:
    """The plan of a decision before anything is known of files: without edits and moves."""
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
    """The keywords for the defects of a decision."""
    return tuple(prefix + KEYWORDS[defect] for defect in decision.defects)


def _plan_id(stack: Stack) -> str:
    """A new number; plans of one shot share what stands before the colon, so that they can be restored together."""
    own, shot = uuid.uuid4().hex, shot_id(stack)
    return f"{shot}:{own}" if shot else own


def _not_copied(photo: Photo) -> str | None:
    """Why a photo gets no new sidecar for its size: what it holds is copied from its bytes, all of them in memory."""
    larger = f"the photo is larger than {_MAX_COPIED >> 20} MiB, and what it holds cannot be copied"
    return larger if photo.stamp.size > _MAX_COPIED else None


def _too_large(photo: Photo) -> str | None:
    """Why a photo is not rewritten for its size: proving a rewrite takes its size several times in memory."""
    return f"it is larger than {_MAX_REWRITTEN >> 20} MiB" if photo.stamp.size > _MAX_REWRITTEN else None
