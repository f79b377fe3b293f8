"""The replay of unfinished plans as `recovery` decides: at start after a crash, and after an unfinished outcome.

The journal holds what was planned; the files on the disk show what was done. A replay that is killed can be repeated.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.errors import PhotoError, SystemFaultError
from culld.files.locks import folder_lock
from culld.files.move import finish_copied_move, move_file
from culld.files.open_beneath import digest_of, exists, open_regular, stamp_of
from culld.files.remove_own import remove_leftovers
from culld.files.set_aside import remove_claim, return_aside
from culld.quarantine.destination import record_place
from culld.quarantine.record import remove_record_of
from culld.quarantine.recovery import Act, Facts, Presence, Step, back, forward, next_step
from culld.records import Move, display_path
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culld.ports import OpenPlans
    from culld.records import OpenPlan, RootedPath

log = logging.getLogger(__name__)

_UNEXPECTED: Final = UnexpectedErrors()


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of replaying a plan; `step` is None if the plan stays open, for the reason in `note`."""

    plan: OpenPlan
    step: Step | None
    note: str = ""


def replay(journal: OpenPlans) -> list[Replayed]:
    """Finish, undo, roll back or park every unfinished plan, and remove the temporary files that it left.

    No plan may be applied at the same time. A plan whose folders cannot be reached stays open.
    """
    results = []
    for plan in journal.unfinished():
        _remove_leftovers(plan)
        try:
            results.append(_replay(plan, journal))
        except PhotoError as error:
            log.warning("an unfinished plan stays open, and is tried again on the next start or rescan: %s", error)
            results.append(Replayed(plan, None, str(error)))
        except SystemFaultError:
            raise
        except Exception as error:  # noqa: BLE001 (one plan must not stop the others; the error is logged)
            results.append(Replayed(plan, None, str(_UNEXPECTED.note(error, "ending an unfinished plan"))))
    return results


def _replay(plan: OpenPlan, journal: OpenPlans) -> Replayed:
    if not plan.moves:
        _return(plan)
        journal.forget(plan)
        return Replayed(plan, Step.ROLL_BACK)
    with folder_lock(plan.moves[-1].target.root):
        _return(plan)
        facts = [Facts(_presence(move.source, move.digest), _presence(move.target, move.digest)) for move in plan.moves]
        step = next_step(facts)
        if step in {Step.DONE, Step.FINISH}:
            _finish(plan, facts, journal)
        elif step is Step.PARK:
            return _park(plan, journal)
        else:
            _forget(plan, facts, journal)
    return Replayed(plan, step)


def _finish(plan: OpenPlan, facts: Iterable[Facts], journal: OpenPlans) -> None:
    for move, fact in zip(plan.moves, facts, strict=True):
        _act(move, forward(fact))
    photo = plan.moves[-1]
    journal.finish(plan, photo.target, stamp_of(photo.target), photo.digest)


def _forget(plan: OpenPlan, facts: Iterable[Facts], journal: OpenPlans) -> None:
    """Move back the files that are at their target; the record is removed last."""
    for move, fact in zip(plan.moves, facts, strict=True):
        _act(Move(move.target, move.source, move.digest), back(fact))
    remove_record_of(plan.id, record_place(plan.moves))
    journal.forget(plan)


def _park(plan: OpenPlan, journal: OpenPlans) -> Replayed:
    reason = (
        f"{display_path(plan.photo.path)} was being moved to {display_path(plan.moves[-1].target.path)} when culld was "
        "stopped, and files were changed there since; nothing was touched, check both places"
    )
    journal.park(plan, stamp_of(plan.photo), reason)
    return Replayed(plan, Step.PARK, reason)


def _act(move: Move, act: Act) -> None:
    if act is Act.MOVE:
        move_file(move)
    elif act is Act.UNLINK_SOURCE:
        finish_copied_move(move)


def _presence(place: RootedPath, digest: str) -> Presence:
    if stamp_of(place) is None:
        return Presence.OTHER if exists(place) else Presence.ABSENT
    with open_regular(place) as stream:
        return Presence.MATCH if digest_of(stream) == digest else Presence.OTHER


def _remove_leftovers(plan: OpenPlan) -> None:
    for root, relative in sorted({(place.root, place.relative.parent) for place in _places(plan)}):
        try:
            remove_leftovers(root, relative)
        except PhotoError as error:
            log.warning("%s", error)


def _return(plan: OpenPlan) -> None:
    """Give files that were set aside their names back, and remove files that only reserve a name."""
    new = {rewrite.place for rewrite in plan.rewrites if rewrite.before is None}
    for place in new | {move.target for move in plan.moves} | _record(plan):
        remove_claim(place, begun=True)
    versions = [frozenset({rewrite.before or "", rewrite.after}) for rewrite in plan.rewrites]
    for place in _places(plan) | _record(plan):
        return_aside(place, versions)


def _places(plan: OpenPlan) -> set[RootedPath]:
    """Return every path at which the plan changes a file, except its record."""
    places = {plan.photo, *(rewrite.place for rewrite in plan.rewrites)}
    return places | {place for move in plan.moves for place in (move.source, move.target)}


def _record(plan: OpenPlan) -> set[RootedPath]:
    return {record_place(plan.moves)} if plan.moves else set()
