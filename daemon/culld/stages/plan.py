"""The stage `decide` with all that it needs: the pure policy, then the drafts of what the plan would change."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from culld import __version__
from culld.errors import PhotoBlockedError, PhotoDeferredError, PhotoError
from culld.files.rewrite import why_not_rewritable
from culld.quarantine.destination import filled_by, plan_moves
from culld.records import Format, Scores, Sidecars, SidecarStyle, Verdict, display_path
from culld.stages.decide.decide import decide
from culld.stages.decide.thresholds import rejected
from culld.stages.group.directory import FolderListing
from culld.stages.read import UserMetadataRequest
from culld.tags.decision_properties import DecisionProperties
from culld.tags.draft import TagRequest
from culld.tags.names import fits, sidecar_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from culld.ports import Clock
    from culld.records import Photo, Plan, Policy, RejectFlag, RootedPath, Stack, UserMetadata
    from culld.tags.draft import TagDraft

_R = TypeVar("_R")
_A = TypeVar("_A")

_MAX_COPY_BYTES = 200 << 20
_MAX_COPIED = 512 << 20


def no_brake(_rules: Policy, _place: RootedPath, _moving: bool) -> str:  # noqa: FBT001 (stands in for a method)
    """Lets everything through."""
    return ""


@dataclass(frozen=True, slots=True)
class Planner:
    """Decides about stacks; `rules_for` gives the policy of a watched folder as it is at this moment.

    `quarantine_away` says why nothing can be moved to the quarantine now, as a clause; empty if it can. `more_to_come`
    says that other files are being waited for: a reject that may belong to a series is `held` once, by its digest,
    until they are there.
    """

    rules_for: Callable[[Path], Policy]
    is_restored: Callable[[Photo], bool]
    draft: Callable[[Sequence[TagRequest]], Sequence[TagDraft | PhotoError]]
    user_metadata: Callable[[Sequence[UserMetadataRequest]], Sequence[UserMetadata | PhotoError]]
    clock: Clock
    quarantine: Path
    quarantine_away: Callable[[], str]
    prefix: str
    embed: bool
    brake: Callable[[Policy, RootedPath, bool], str] = no_brake
    more_to_come: Callable[[], bool] = lambda: False
    held: set[str] = field(default_factory=set)
    folders: Callable[[], FolderListing] = FolderListing
    sidecars: Sidecars = Sidecars.ALWAYS
    style: SidecarStyle = SidecarStyle.FULL
    reject_flags: tuple[RejectFlag, ...] = ()

    def decide(self, stacks: Sequence[Stack]) -> list[Plan | PhotoError]:
        """The whole plan for each stack, in order: verdict, byte edits, moves; or why there is none now.

        That is a PhotoError if a photo changed meanwhile, or should be moved to a quarantine that is not there, and a
        PhotoHeldError if the shots of its series may not have arrived yet. The workers are asked about all together.
        """
        listing = self.folders()
        plans = _asking(
            [self._plan(stack) for stack in stacks], _needs_user_metadata, self.user_metadata, self._with_user_metadata
        )
        plans = self._with_series_together(_each(plans, self._within_brake))
        plans = _asking(plans, lambda plan: self._tags_wanted(plan, listing), self._drafts, _with_tags)
        promised: set[RootedPath] = set()
        return _each(plans, lambda plan: self._routed(plan, promised))

    def _with_user_metadata(self, plan: Plan, _: UserMetadataRequest, care: UserMetadata) -> Plan:
        return self._plan(replace(plan.stack, user_metadata=care))

    def _within_brake(self, plan: Plan) -> Plan:
        """The plan, if it need not wait, as the brake lets it be."""
        rules = self.rules_for(plan.photo.place.root)
        moving = plan.verdict is Verdict.QUARANTINE
        if moving or (plan.stack.series is not None and rejected(plan.stack.primary, rules)):  # a better shot may come
            self._require_series_complete(plan, rules)
        if brake := self.brake(rules, plan.photo.place, moving):
            plan = self._plan(plan.stack, brake)
        if plan.verdict is Verdict.QUARANTINE and (why := self.quarantine_away()):
            raise PhotoBlockedError(f"the quarantine {display_path(self.quarantine)} {why}")
        return plan

    def _with_series_together(self, plans: Sequence[Plan | PhotoError]) -> list[Plan | PhotoError]:
        """Hold back every picture of a shot of which the brake holds back one: they go together, or stay."""
        held = {
            _shot(plan) for plan in plans if not isinstance(plan, PhotoError) and plan.would_reject and not _moves(plan)
        }

        def with_the_others(plan: Plan) -> Plan:
            if not _moves(plan) or _shot(plan) not in held:
                return plan
            brake = self.brake(self.rules_for(plan.photo.place.root), plan.photo.place, True)
            return self._plan(plan.stack, brake)

        return _each(plans, with_the_others)

    def _routed(self, plan: Plan, promised: set[RootedPath]) -> Plan:
        """The plan with its moves, to places that no earlier plan of the batch was `promised`."""
        if plan.verdict is not Verdict.QUARANTINE:
            return plan
        moves = plan_moves(plan, self.quarantine, promised)
        promised |= filled_by(moves)
        return replace(plan, moves=moves)

    def _drafts(self, wanted: Sequence[_Wanted]) -> Sequence[TagDraft | PhotoError]:
        return self.draft([each.request for each in wanted])

    def _require_series_complete(self, plan: Plan, rules: Policy) -> None:
        """Wait once for the others of a series: a bracket that is copied slowly comes shot by shot."""
        photo, protect = plan.photo, rules.protect
        may_be_one = photo.camera.taken_at is not None and (protect.series or protect.bursts)
        if may_be_one and photo.digest not in self.held and self.more_to_come():
            self.held.add(photo.digest)
            raise PhotoDeferredError("it waits for the shots that may belong to it, for more photos are coming in")
        self.held.discard(photo.digest)

    def _plan(self, stack: Stack, brake: str = "") -> Plan:
        return decide(
            stack,
            self.rules_for(stack.primary.photo.place.root),
            now=self.clock.now(),
            plan_id=_plan_id(stack),
            restored=any(self.is_restored(member.photo) for member in stack.members),
            brake=brake,
            prefix=self.prefix,
        )

    def _tags_wanted(self, plan: Plan, listing: FolderListing) -> _Wanted | None:
        """What shall be written about the photo of a plan, if anything, and a sentence for each file that must not."""
        photo, lead = plan.photo, plan.stack.primary
        if plan.verdict is Verdict.UNREADABLE or (plan.verdict is Verdict.KEEP and not plan.stack.sidecars):
            return None
        assert isinstance(lead.result, Scores)  # noqa: S101 (an unreadable photo is neither tagged nor moved)
        rules = self.rules_for(photo.place.root)
        record = DecisionProperties(lead.result, rules, plan.verdict, lead.model, plan.made_at, __version__)
        notes = []
        sidecar = None if self.sidecars is Sidecars.NEVER else self._sidecar(plan.stack, listing)
        if isinstance(sidecar, str):
            notes.append(f"no sidecar was written: {sidecar}")
        refused = (_too_large(photo) or why_not_rewritable(photo.place)) if self.embed else None
        if refused:
            notes.append(f"the photo itself was left alone: {refused}")
        place = None if isinstance(sidecar, str) else sidecar
        embed = self.embed and not refused
        marks = (
            tuple(mark for mark in self.reject_flags if mark not in plan.stack.user_metadata.filled_flags)
            if plan.would_reject
            else ()
        )
        only = self.sidecars is Sidecars.NEEDED
        request = TagRequest(photo.place, photo.format, photo.digest, plan.keywords, record, place, embed, marks, only)
        return _Wanted(request, tuple(notes))

    def _sidecar(self, stack: Stack, listing: FolderListing) -> RootedPath | str:
        """Where the sidecar of a photo is or will be, or why there can be none."""
        photo = stack.primary.photo
        names = [*listing.beside(photo.place), *listing.unclear(photo.place)]
        if photo.format is Format.RAW:  # of a shot, `a.xmp` is the RAW's
            names = [name for name in names if name not in {each.photo.place.relative.name for each in stack.siblings}]
        name = sidecar_name(photo.place.relative.name, names, self.style)
        if name is None:
            if fits(f"{photo.place.relative.name}.xmp"):
                return "which one belongs to this photo is not clear"
            return "its name would be too long"
        if listing.is_taken(photo.place, name):
            return f"{display_path(Path(name))} is the name of something that is no plain file"
        place = photo.place.beside(name)
        return (why_not_rewritable(place) if name in names else _not_copied(photo)) or place


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be written about a photo, and a sentence for each file that must not be."""

    request: TagRequest
    refused: tuple[str, ...]


def _each(plans: Iterable[Plan | PhotoError], step: Callable[[Plan], Plan]) -> list[Plan | PhotoError]:
    """Take each plan one step on; one whose step fails becomes its error."""

    def taken(plan: Plan | PhotoError) -> Plan | PhotoError:
        if isinstance(plan, PhotoError):
            return plan
        try:
            return step(plan)
        except PhotoError as error:
            return error

    return [taken(plan) for plan in plans]


def _asking(
    plans: Sequence[Plan | PhotoError],
    request_of: Callable[[Plan], _R | None],
    ask: Callable[[Sequence[_R]], Sequence[_A | PhotoError]],
    take: Callable[[Plan, _R, _A], Plan],
) -> list[Plan | PhotoError]:
    """Ask about those plans that have a request, all at once, and let each take its answer in."""
    done = list(plans)
    wanted: dict[int, tuple[Plan, _R]] = {}
    for number, plan in enumerate(plans):
        if isinstance(plan, PhotoError):
            continue
        try:
            request = request_of(plan)
        except PhotoError as error:
            done[number] = error
        else:
            if request is not None:
                wanted[number] = plan, request
    answers = ask([request for _, request in wanted.values()]) if wanted else []
    for (number, (plan, request)), answer in zip(wanted.items(), answers, strict=True):
        done[number] = answer if isinstance(answer, PhotoError) else take(plan, request, answer)
    return done


def _moves(plan: Plan) -> bool:
    return plan.verdict is Verdict.QUARANTINE


def _shot(plan: Plan) -> str:
    """Return what the plans of one shot have in common; see `_plan_id`."""
    return plan.id.partition(":")[0]


def _with_tags(plan: Plan, wanted: _Wanted, tags: TagDraft) -> Plan:
    return replace(plan, rewrites=tags.rewrites, notes=wanted.refused + tags.notes)


def _needs_user_metadata(plan: Plan) -> UserMetadataRequest | None:
    """What people did matters only for a photo that would go: it costs another look at the files."""
    return user_metadata_request(plan.stack) if plan.would_reject else None


def user_metadata_request(stack: Stack) -> UserMetadataRequest:
    """Which files tell what people did for a shot."""
    sidecars = tuple(place for place in stack.sidecars if place.relative.suffix.lower() == ".xmp")
    return UserMetadataRequest(tuple(member.photo for member in stack.members), sidecars)


def _plan_id(stack: Stack) -> str:
    """A new number; plans of one shot share what stands before the colon, so that they can be restored together."""
    own = uuid.uuid4().hex
    if not stack.siblings:
        return own
    shot = "".join(sorted(member.photo.digest for member in stack.members))
    return f"{hashlib.sha256(shot.encode()).hexdigest()[:16]}:{own}"


def _not_copied(photo: Photo) -> str | None:
    """Why a photo gets no new sidecar for its size: what it holds is copied from its bytes, all of them in memory."""
    larger = f"the photo is larger than {_MAX_COPIED >> 20} MiB, and what it holds cannot be copied"
    return larger if photo.stamp.size > _MAX_COPIED else None


def _too_large(photo: Photo) -> str | None:
    """Why a photo is not rewritten for its size: proving a rewrite takes its size several times in memory."""
    return f"it is larger than {_MAX_COPY_BYTES >> 20} MiB" if photo.stamp.size > _MAX_COPY_BYTES else None
