"""The stage `apply`: it writes the tags, then the record, then moves the sidecars, and moves the photo last."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.errors import PhotoChangedError, PhotoError
from culld.files.locks import folder_lock
from culld.files.move import move_file
from culld.files.open_beneath import exists, stamp_of
from culld.files.os_errors import NameTakenError
from culld.files.remove_own import remove_record
from culld.files.rewrite import rewrite_file
from culld.quarantine.destination import record_place
from culld.quarantine.record import record_of, to_bytes
from culld.records import Edit, Move, Outcome, Rewrite, display_path
from culld.retry import NAME_TAKEN_RETRY_AFTER, RETRY_AFTER

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.records import FileStat, Plan, RootedPath

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlanApplier:
    """Carries out plans; `transfer` moves one file and returns its new stat."""

    transfer: Callable[..., FileStat] = move_file

    def apply(self, plan: Plan) -> Outcome:
        """Carry out a plan and return its outcome; a PhotoError becomes the outcome's fault.

        A rewrite that fails stops the plan: the photo stays where it is, untouched or tagged, and is judged again. If a
        move fails, the moves before it are undone; if one cannot be undone, the outcome is `unfinished`, for a replay.
        """
        try:
            if stamp_of(plan.photo.place) != plan.photo.stamp:
                raise PhotoChangedError(f"{display_path(plan.photo.place.path)} changed since it was judged")
            _require_free(plan)
            stamp = _tag(plan)
        except PhotoError as error:
            return _failed(plan, error)
        if not plan.moves:
            return _done(plan, plan.photo.place, stamp)
        return self._quarantine(plan, stamp)

    def _quarantine(self, plan: Plan, stamp: FileStat) -> Outcome:
        moved: list[Move] = []
        record = to_bytes(record_of(plan))
        try:
            with folder_lock(plan.moves[-1].target.root):
                _write(record_place(plan.moves), record, plan.photo.place)
                for move in plan.moves:
                    expected = stamp if move.source == plan.photo.place else None
                    landed = self.transfer(move, expected=expected)
                    moved.append(move)
        except PhotoError as error:
            return self._undo_moves(plan, moved, record, error)
        return _done(plan, plan.moves[-1].target, landed)

    def _undo_moves(self, plan: Plan, moved: list[Move], record: bytes, error: PhotoError) -> Outcome:
        """Move the sidecars back to the photo; remove the record if no file of the plan is left in the quarantine."""
        for move in reversed(moved):
            try:
                self.transfer(Move(move.target, move.source, move.digest))
            except PhotoError as second:
                log.warning("%s; will be repaired on the next start or rescan", second)
        try:
            unfinished = any(exists(move.target) for move in plan.moves)
            if not unfinished and exists(record_place(plan.moves)):
                remove_record(record_place(plan.moves), hashlib.sha256(record).hexdigest())
        except PhotoError as second:
            log.warning("%s; will be repaired on the next start or rescan", second)
            unfinished = True
        return _failed(plan, error, unfinished=unfinished)


def _require_free(plan: Plan) -> None:
    """Check before any change that every name in the quarantine is still free."""
    if not plan.moves:
        return
    for place in (record_place(plan.moves), *(move.target for move in plan.moves)):
        if exists(place):
            raise NameTakenError(
                f"{display_path(place.path)} was created since the photo was judged; culld chooses another name"
            )


def _tag(plan: Plan) -> FileStat:
    """Carry out the rewrites, and return the photo's stat after them."""
    stamp = plan.photo.stamp
    for rewrite in plan.rewrites:
        written = rewrite_file(rewrite, beside=plan.photo.place)
        if rewrite.place == plan.photo.place:
            stamp = written
    return stamp


def _write(place: RootedPath, record: bytes, photo: RootedPath) -> None:
    digest = hashlib.sha256(record).hexdigest()
    rewrite_file(Rewrite(place, None, digest, (Edit(0, b"", record),)), create_folder=True, beside=photo)


def _digest_after(plan: Plan) -> str:
    changed = [rewrite.after for rewrite in plan.rewrites if rewrite.place == plan.photo.place]
    return changed[-1] if changed else plan.photo.digest


def _done(plan: Plan, now: RootedPath, stamp: FileStat) -> Outcome:
    return Outcome(plan, now, stamp, _digest_after(plan), note="; ".join(plan.notes))


def _failed(plan: Plan, error: PhotoError, *, unfinished: bool = False) -> Outcome:
    place = plan.photo.place
    # For a file that changed, keep the stamp that was judged: the scanner then finds the change at its next scan.
    stamp = plan.photo.stamp if isinstance(error, PhotoChangedError) else _stamp_or_none(place)
    delay = NAME_TAKEN_RETRY_AFTER if isinstance(error, NameTakenError) else RETRY_AFTER
    return Outcome(plan, place, stamp, plan.photo.digest, fault=str(error), retry_after=delay, unfinished=unfinished)


def _stamp_or_none(place: RootedPath) -> FileStat | None:
    try:
        return stamp_of(place)
    except PhotoError:
        return None  # the fault that is being reported says why
