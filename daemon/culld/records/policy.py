"""The policy as records: thresholds, protection, brake, rules."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from culld.records.copies import CopyPolicy
from culld.records.enums import Action, Defect, Format, StackVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from culld.records.enums import Mode
    from culld.rules import Expression


@dataclass(frozen=True, slots=True)
class Threshold:
    """The probability (0..1) from which a defect is tagged, and the one from which it is rejected (None: never)."""

    tag: float
    reject: float | None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The precision and recall of a threshold on photos outside of the training set.

    `precision` (0..1) is the share of the photos at or above the threshold that have the defect, `recall` (0..1) the
    share of the photos with the defect that are at or above it.
    """

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Protection:
    """Which photos are never moved, whatever their scores."""

    rated: int | None = 1
    """The lowest rating, in stars, that protects; labels and flags protect too. None: none of these protects."""
    edited: bool = True
    night_below: float | None = 3.0
    """Below this light value a dark photo shows a dark scene, and is not under-exposed; None: no such limit."""
    series: bool = True
    """Whether the shots of exposure brackets, focus stacks and panoramas are protected."""
    bursts: bool = True
    """Whether the best shot of a burst is protected."""
    smaller_than: int | None = 640
    """A photo whose longer side has fewer pixels is too small to judge; None: no such limit."""


@dataclass(frozen=True, slots=True)
class BrakeLimit:
    """Moves stop when more than the share `max_share` (0..1) of the last `window` photos was to be moved."""

    max_share: float
    window: int


@dataclass(frozen=True, slots=True)
class Rule:
    """The action for photos that meet a condition; it takes precedence over thresholds."""

    name: str
    when: Expression
    action: Action


_NEVER: Final = Threshold(math.inf, None)
"""A threshold that no score reaches."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy in force; `digest` identifies it in every decision.

    `clips` are the thresholds for the share of a clip's time (0..1) that has a defect; None: clips are not judged.
    """

    mode: Mode
    blur: Threshold
    under: Threshold
    over: Threshold
    digest: str
    focus: Threshold = Threshold(0.7, None)
    stack_verdict: StackVerdict = StackVerdict.BEST
    protect: Protection = Protection()
    named_rules: tuple[Rule, ...] = ()
    brake: BrakeLimit | None = None
    enhance: CopyPolicy = CopyPolicy.NEVER
    clips: Threshold | None = None

    def about(self, format_: Format) -> Policy:
        """Return the policy for files of a format.

        For a clip `clips` are the thresholds of each defect, and of the rules only those that keep hold: the others are
        written for the probabilities of photos.
        """
        if format_ is not Format.VIDEO:
            return self
        limit = self.clips or _NEVER
        keeping = tuple(rule for rule in self.named_rules if rule.action is Action.KEEP)
        return replace(
            self, blur=limit, under=limit, over=limit, focus=_NEVER, named_rules=keeping, enhance=CopyPolicy.NEVER
        )

    def of(self, defect: Defect) -> Threshold:
        """Return the thresholds of one defect."""
        every = {Defect.BLUR: self.blur, Defect.UNDER: self.under, Defect.OVER: self.over, Defect.FOCUS: self.focus}
        return every[defect]

    def names(self, variables: AbstractSet[str]) -> bool:
        """Return whether a rule names one of these variables."""
        return any(rule.when.variables & variables for rule in self.named_rules)


@dataclass(frozen=True, slots=True)
class FolderPolicies:
    """The policy of each watched folder, and the `default` policy of the file without the keys of folders."""

    default: Policy
    by_root: Mapping[Path, Policy]

    def names(self, variables: AbstractSet[str]) -> bool:
        """Return whether a rule of one of the policies names one of these variables."""
        return any(policy.names(variables) for policy in (self.default, *self.by_root.values()))
