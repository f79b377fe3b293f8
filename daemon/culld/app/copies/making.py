"""One repaired copy after the other: what is checked before a repair, and what becomes of its answer.

The journal is written before the file of a copy, and the quarantine is locked meanwhile, as it is by `culld restore`:
neither a crash nor a restore leaves a copy that the journal does not know.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.app.copies.origin import place_of_copy
from culld.app.copy_file import remove_left_copies, taken, write_copy
from culld.app.returned import is_there
from culld.errors import InternalError, PhotoBlockedError, PhotoError, WorkerLostError
from culld.files.locks import folder_lock
from culld.files.mount_guard import MountGuard
from culld.files.open_beneath import exists
from culld.files.os_errors import NameTakenError
from culld.files.set_aside import remove_claim
from culld.quarantine.untag import digest_at
from culld.records import CopyPolicy, CopyState, display_path
from culld.retry import RETRY_AFTER, RetryPolicy
from culld.tags.names import stem_of_parent

if TYPE_CHECKING:
    from culld.app.build import Builder
    from culld.app.enhance_messages import Enhanced
    from culld.records import RecordedCopy, RecordedDecision, RootedPath

log = logging.getLogger(__name__)

_MOST_LOSSES: Final = 1
"""A worker that is lost over a photo costs it one retry: the loss may have come from a shortage of memory."""


class OfflineError(PhotoError):
    """A folder of a copy, or the quarantine, is offline: the copy waits."""


@dataclass(frozen=True, slots=True)
class Case:
    """A copy that waits, where its photo is now, and where the copy belongs."""

    copy: RecordedCopy
    photo: RootedPath
    place: RootedPath


@dataclass(frozen=True, slots=True)
class Making:
    """Prepares, writes and recovers copies, and stores in the journal what became of each."""

    builder: Builder

    def prepare(self, copy: RecordedCopy) -> Case | None:
        """Return what to repair for a copy that waits; None if it ends without a repair.

        Raises OfflineError if a folder is offline.
        """
        decision = self.builder.journal.decision(copy.decision)
        if decision is None:
            return None  # it was deleted with its decision
        case = Case(copy, decision.now, place_of_copy(decision))
        self._require_folders(case.place)
        try:
            why = self._reason_against(copy, decision, case)
        except PhotoError as error:
            self._end(copy, decision.now, CopyState.FAILED, str(error))
            return None
        if not why:
            return case
        self._end(copy, decision.now, CopyState.NONE, why)
        return None

    def finish(self, case: Case, answer: Enhanced | PhotoError) -> None:
        """Write the copy that a worker returned, or store why there is none, or that it waits for another try.

        Raises OfflineError if the copy waits because a folder is offline.
        """
        if isinstance(answer, WorkerLostError | InternalError) and case.copy.tries < _MOST_LOSSES:
            self.builder.journal.delay_copy(case.copy.decision, str(answer))
        elif isinstance(answer, PhotoError):
            self._end(case.copy, case.photo, CopyState.FAILED, str(answer))
        elif not answer.copy:
            self._end(case.copy, case.photo, CopyState.NONE, answer.reason, answer.repair or "")
        else:
            self._write(case, answer)

    def recover(self, copy: RecordedCopy) -> None:
        """Decide by the disk about a copy whose file was being written when culld was stopped."""
        if copy.place is None:
            return
        try:
            self._require_folders(copy.place)
            with folder_lock(self.builder.config.quarantine):
                remove_left_copies(copy.place)
                remove_claim(copy.place, begun=True)
                is_made = digest_at(copy.place) == copy.digest
        except OfflineError:
            return
        except PhotoError as error:
            self._end(copy, copy.place, CopyState.FAILED, str(error))
            return
        if is_made:
            self._end(copy, copy.place, CopyState.MADE, copy.reason)
        else:
            self.builder.journal.delay_copy(copy.decision, copy.reason, counts=False)

    def give_up(self, copy: RecordedCopy, error: PhotoError) -> None:
        """Store that an unexpected error prevented a copy, unless its file is on the disk."""
        again = self.builder.journal.copy_of(copy.decision)
        if again is not None and again.state is CopyState.BEGUN:
            self.recover(again)
        if self.builder.journal.end_copy(copy.decision, CopyState.FAILED, str(error)):
            log.warning("the repaired copy for decision %d failed: %s", copy.decision, error)

    def _write(self, case: Case, answer: Enhanced) -> None:
        """Write a copy, unless it was taken back or its photo left meanwhile."""
        journal, number = self.builder.journal, case.copy.decision
        digest = hashlib.sha256(answer.copy).hexdigest()
        try:
            self._require_folders(case.place)
            with folder_lock(self.builder.config.quarantine):
                again = journal.copy_of(number)
                now = self.prepare(again) if again is not None and again.state is CopyState.WAITING else None
                if now is None or now.place != case.place:
                    return  # it ended meanwhile, or waits for another try at the new place of its photo
                if journal.begin_copy(number, case.place, digest, answer.repair or "", answer.reason):
                    _write_begun(now, answer.copy, digest)
                    self._end(case.copy, case.place, CopyState.MADE, answer.reason)
        except OfflineError:
            raise
        except NameTakenError as error:
            self._end(case.copy, case.photo, CopyState.NONE, str(error))
        except PhotoBlockedError as error:
            self._delay(case, error)
        except PhotoError as error:
            self._end(case.copy, case.photo, CopyState.FAILED, str(error))

    def _delay(self, case: Case, error: PhotoError) -> None:
        """Store that a copy could not be written, such as on a full disk, and that it is tried again later."""
        delay = RetryPolicy(str(error), RETRY_AFTER).wait(case.copy.tries + 1) or RETRY_AFTER
        self.builder.journal.delay_copy(case.copy.decision, str(error), self.builder.clock.now() + delay)
        log.warning("no repaired copy of %s yet: %s", display_path(case.photo.path), error)

    def _reason_against(self, copy: RecordedCopy, decision: RecordedDecision, case: Case) -> str:
        """Return why no copy is made, whatever the photo shows; empty if one may be made. Raises PhotoError."""
        enhance = self.builder.policies.of(decision.place.root).enhance
        if enhance is CopyPolicy.NEVER or (enhance is CopyPolicy.ASK and not copy.by_person):
            return f"policy.enhance is {enhance} now"
        if self.builder.journal.latest_about(decision) != copy.decision:
            return "the photo was judged again since"
        if not copy.by_person and (decision.restored or decision.released):
            return "the photo was restored, or left the quarantine in another way"
        if not is_there(case.photo):
            return f"{display_path(case.photo.path)} is no longer there"
        if stem_of_parent(case.photo.relative.name) is not None:
            return "it is a repaired copy itself"
        return taken(case.place) if exists(case.place) else ""

    def _require_folders(self, place: RootedPath) -> None:
        """Raise OfflineError if the folder of a copy or the quarantine is offline."""
        guard = MountGuard(self.builder.journal)
        for folder in (place.root, self.builder.config.quarantine):
            if why := guard.unavailable_reason(folder):
                raise OfflineError(f"{display_path(folder)} {why}")

    def _end(self, copy: RecordedCopy, file: RootedPath, state: CopyState, reason: str, repair: str = "") -> None:
        """Store how a copy ended, and log it in one line: with the copy if it was made, else with the photo."""
        if not self.builder.journal.end_copy(copy.decision, state, reason, repair):
            return  # it was taken back meanwhile
        if state is CopyState.MADE:
            log.info("repaired copy %s: %s", display_path(file.path), reason)
        else:
            level = logging.WARNING if state is CopyState.FAILED else logging.INFO
            log.log(level, "no repaired copy of %s: %s", display_path(file.path), reason)


def _write_begun(case: Case, data: bytes, digest: str) -> None:
    """Write the file of a copy; raises PhotoError unless it is on the disk."""
    try:
        write_copy(case.place, data, case.photo)
    except PhotoError:
        if digest_at(case.place) != digest:  # its name could not be made durable, but it has it
            raise
