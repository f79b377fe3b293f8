"""The wishes of people for repaired copies: they are only noted in the journal, and the copies are made later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.app.copies.origin import place_of_copy
from culld.app.returned import is_there
from culld.errors import PhotoBlockedError, PhotoChangedError
from culld.files.mount_guard import MountGuard
from culld.files.open_beneath import exists
from culld.records import CopyPolicy, CopyState, Format, display_path

if TYPE_CHECKING:
    from culld.app.build import Builder
    from culld.records import RecordedDecision

WILL_BE_MADE = "A repaired copy will be made."


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks for copies of the photos of decisions."""

    builder: Builder

    def ask(self, number: int, decision: RecordedDecision) -> str:
        """Ask for a copy of the photo of the decision with a number; return a note, as a sentence.

        Raises PhotoBlockedError if the policy makes no copies, PhotoChangedError if the photo is gone.
        """
        self._require_policy(decision)
        if decision.photo.format is Format.VIDEO:
            raise PhotoBlockedError("A clip is not repaired.")
        copy, place = self.builder.journal.copy_of(number), place_of_copy(decision)
        if copy is not None and copy.state is CopyState.MADE and exists(copy.place or place):
            return f"{display_path((copy.place or place).relative)} is there already."
        if not is_there(decision.now) and not MountGuard(self.builder.journal).check(decision.now.root):
            raise PhotoChangedError(f"{display_path(decision.now.path)} is no longer there.")
        self.builder.journal.ask_for_copy(number)
        return WILL_BE_MADE

    def _require_policy(self, decision: RecordedDecision) -> None:
        root = decision.place.root
        if all(watch.path != root for watch in self.builder.config.watch):
            raise PhotoBlockedError(f"The configuration no longer watches {display_path(root)}.")
        if self.builder.policies.of(root).enhance is CopyPolicy.NEVER:
            raise PhotoBlockedError("The policy makes no repaired copies; set `policy.enhance: ask`.")
