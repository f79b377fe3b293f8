"""The stage `decide` with all that it needs: the pure policy, then the drafts of what the plan would change."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from culld import __version__
from culld.errors import PhotoBlockedError, PhotoError, PhotoHeldError
from culld.files.rewrite import refusal
from culld.quarantine.destination import filled_by, route
from culld.records import Format, Scores, Sidecars, SidecarStyle, Verdict, printable
from culld.stages.decide.decide import decide
from culld.stages.decide.thresholds import rejected
from culld.stages.group.directory import Listing
from culld.stages.read import CareRequest
from culld.tags.decision_properties import MachineRecord
from culld.tags.draft import TagRequest
from culld.tags.names import fits, sidecar_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from culld.ports import Clock
    from culld.records import Care, Mark, Photo, Place, Plan, Rules, Stack
    from culld.tags.draft import TagDraft

_R = TypeVar("_R")
_A = TypeVar("_A")

_MOST_BYTES = 200 << 20
_MOST_COPIED = 512 << 20


def no_brake(_rules: Rules, _place: Place, _moving: bool) -> str:  # noqa: FBT001 (stands in for a method)
    """Lets everything through."""
    return ""


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides about stacks; `rules_for` gives the policy of a watched folder as it is at this moment.

    `quarantine_away` says why nothing can be moved to the quarantine now, as a clause; empty if it can. `more_to_come`
    says that other files are being waited for: a reject that may belong to a series is `held` once, by its digest,
    until they are there.
    """

    rules_for: Callable[[Path], Rules]
    is_restored: Callable[[Photo], bool]
    draft: Callable[[Sequence[TagRequest]], Sequence[TagDraft | PhotoError]]
    care: Callable[[Sequence[CareRequest]], Sequence[Care | PhotoError]]
    clock: Clock
    quarantine: Path
    quarantine_away: Callable[[], str]
    prefix: str
    embed: bool
    brake: Callable[[Rules, Place, bool], str] = no_brake
    more_to_come: Callable[[], bool] = lambda: False
    held: set[str] = field(default_factory=set)
    listing: Callable[[], Listing] = Listing
    sidecars: Sidecars = Sidecars.ALWAYS
    style: SidecarStyle = SidecarStyle.FULL
    marks: tuple[Mark, ...] = ()

    def decide(self, stacks: Sequence[Stack]) -> list[Plan | PhotoError]:
        """The whole plan for each stack, in order: verdict, byte edits, moves; or why there is none now.

        That is a PhotoError if a photo changed meanwhile, or should be moved to a quarantine that is not there, and a
        PhotoHeldError if the shots of its series may not have arrived yet. The workers are asked about all together.
        """
        listing = self.listing()
        plans = _asking([self._plan(stack) for stack in stacks], _care_wanted, self.care, self._with_care)
        plans = self._undivided(_each(plans, self._permitted))
        plans = _asking(plans, lambda plan: self._tags_wanted(plan, listing), self._drafts, _with_tags)
        promised: set[Place] = set()
        return _each(plans, lambda plan: self._routed(plan, promised))

    def _with_care(self, plan: Plan, _: CareRequest, care: Care) -> Plan:
        return self._plan(replace(plan.stack, care=care))

    def _permitted(self, plan: Plan) -> Plan:
        """The plan, if it need not wait, as the brake lets it be."""
        rules = self.rules_for(plan.photo.place.root)
        moving = plan.verdict is Verdict.QUARANTINE
        if moving or (plan.stack.series is not None and rejected(plan.stack.lead, rules)):  # a better shot may come
            self._hold(plan, rules)
        if brake := self.brake(rules, plan.photo.place, moving):
            plan = self._plan(plan.stack, brake)
        if plan.verdict is Verdict.QUARANTINE and (why := self.quarantine_away()):
            raise PhotoBlockedError(f"the quarantine {printable(self.quarantine)} {why}")
        return plan

    def _undivided(self, plans: Sequence[Plan | PhotoError]) -> list[Plan | PhotoError]:
        """Hold back every picture of a shot of which the brake holds back one: they go together, or stay."""
        held = {_shot(plan) for plan in plans if not isinstance(plan, PhotoError) and plan.unwanted and not _goes(plan)}

        def with_the_others(plan: Plan) -> Plan:
            if not _goes(plan) or _shot(plan) not in held:
                return plan
            brake = self.brake(self.rules_for(plan.photo.place.root), plan.photo.place, True)
            return self._plan(plan.stack, brake)

        return _each(plans, with_the_others)

    def _routed(self, plan: Plan, promised: set[Place]) -> Plan:
        """The plan with its moves, to places that no earlier plan of the batch was `promised`."""
        if plan.verdict is not Verdict.QUARANTINE:
            return plan
        moves = route(plan, self.quarantine, promised)
        promised |= filled_by(moves)
        return replace(plan, moves=moves)

    def _drafts(self, wanted: Sequence[_Wanted]) -> Sequence[TagDraft | PhotoError]:
        return self.draft([each.request for each in wanted])

    def _hold(self, plan: Plan, rules: Rules) -> None:
        """Wait once for the others of a series: a bracket that is copied slowly comes shot by shot."""
        photo, protect = plan.photo, rules.protect
        may_be_one = photo.camera.taken_at is not None and (protect.series or protect.bursts)
        if may_be_one and photo.digest not in self.held and self.more_to_come():
            self.held.add(photo.digest)
            raise PhotoHeldError("it waits for the shots that may belong to it, for more photos are coming in")
        self.held.discard(photo.digest)

    def _plan(self, stack: Stack, brake: str = "") -> Plan:
        return decide(
            stack,
            self.rules_for(stack.lead.photo.place.root),
            now=self.clock.now(),
            plan_id=_plan_id(stack),
            restored=any(self.is_restored(member.photo) for member in stack.members),
            brake=brake,
            prefix=self.prefix,
        )

    def _tags_wanted(self, plan: Plan, listing: Listing) -> _Wanted | None:
        """What shall be written about the photo of a plan, if anything, and a sentence for each file that must not."""
        photo, lead = plan.photo, plan.stack.lead
        if plan.verdict is Verdict.UNREADABLE or (plan.verdict is Verdict.KEEP and not plan.stack.sidecars):
            return None
        assert isinstance(lead.result, Scores)  # noqa: S101 (an unreadable photo is neither tagged nor moved)
        rules = self.rules_for(photo.place.root)
        record = MachineRecord(lead.result, rules, plan.verdict, lead.model, plan.made_at, __version__)
        notes = []
        sidecar = None if self.sidecars is Sidecars.NEVER else self._sidecar(plan.stack, listing)
        if isinstance(sidecar, str):
            notes.append(f"no sidecar was written: {sidecar}")
        refused = (_too_large(photo) or refusal(photo.place)) if self.embed else None
        if refused:
            notes.append(f"the photo itself was left alone: {refused}")
        place = None if isinstance(sidecar, str) else sidecar
        embed = self.embed and not refused
        marks = tuple(mark for mark in self.marks if mark not in plan.stack.care.filled) if plan.unwanted else ()
        only = self.sidecars is Sidecars.NEEDED
        request = TagRequest(photo.place, photo.format, photo.digest, plan.keywords, record, place, embed, marks, only)
        return _Wanted(request, tuple(notes))

    def _sidecar(self, stack: Stack, listing: Listing) -> Place | str:
        """Where the sidecar of a photo is or will be, or why there can be none."""
        photo = stack.lead.photo
        names = [*listing.beside(photo.place), *listing.unclear(photo.place)]
        if photo.format is Format.RAW:  # of a shot, `a.xmp` is the RAW's
            names = [name for name in names if name not in {each.photo.place.relative.name for each in stack.partners}]
        name = sidecar_name(photo.place.relative.name, names, self.style)
        if name is None:
            if fits(f"{photo.place.relative.name}.xmp"):
                return "which one belongs to this photo is not clear"
            return "its name would be too long"
        if listing.is_taken(photo.place, name):
            return f"{printable(Path(name))} is the name of something that is no plain file"
        place = photo.place.beside(name)
        return (refusal(place) if name in names else _not_copied(photo)) or place


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


def _goes(plan: Plan) -> bool:
    return plan.verdict is Verdict.QUARANTINE


def _shot(plan: Plan) -> str:
    """Return what the plans of one shot have in common; see `_plan_id`."""
    return plan.id.partition(":")[0]


def _with_tags(plan: Plan, wanted: _Wanted, tags: TagDraft) -> Plan:
    return replace(plan, rewrites=tags.rewrites, notes=wanted.refused + tags.notes)


def _care_wanted(plan: Plan) -> CareRequest | None:
    """What people did matters only for a photo that would go: it costs another look at the files."""
    return care_request(plan.stack) if plan.unwanted else None


def care_request(stack: Stack) -> CareRequest:
    """Which files tell what people did for a shot."""
    sidecars = tuple(place for place in stack.sidecars if place.relative.suffix.lower() == ".xmp")
    return CareRequest(tuple(member.photo for member in stack.members), sidecars)


def _plan_id(stack: Stack) -> str:
    """A new number; plans of one shot share what stands before the colon, so that they can be restored together."""
    own = uuid.uuid4().hex
    if not stack.partners:
        return own
    shot = "".join(sorted(member.photo.digest for member in stack.members))
    return f"{hashlib.sha256(shot.encode()).hexdigest()[:16]}:{own}"


def _not_copied(photo: Photo) -> str | None:
    """Why a photo gets no new sidecar for its size: what it holds is copied from its bytes, all of them in memory."""
    larger = f"the photo is larger than {_MOST_COPIED >> 20} MiB, and what it holds cannot be copied"
    return larger if photo.stamp.size > _MOST_COPIED else None


def _too_large(photo: Photo) -> str | None:
    """Why a photo is not rewritten for its size: proving a rewrite takes its size several times in memory."""
    return f"it is larger than {_MOST_BYTES >> 20} MiB" if photo.stamp.size > _MOST_BYTES else None
