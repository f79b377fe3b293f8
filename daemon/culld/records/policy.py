"""The policy as records: thresholds, protection, brake, rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.records.enums import Defect, StackVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culld.records.enums import Action, Mode
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
    """From how many stars a rating protects; with any number labels and flags do as well. None: none of these does."""
    edited: bool = True
    night_below: float | None = 3.0
    """Below this light value a dark photo shows a dark scene, and is not under-exposed; None: whatever the light."""
    series: bool = True
    """Exposure brackets, focus stacks and panoramas stay whole."""
    bursts: bool = True
    """The best frame of a burst stays."""


@dataclass(frozen=True, slots=True)
class BrakeLimit:
    """Moves stop once more than `max_share` (0..1) of the last photos, `window` of them at most, was to be moved."""

    max_share: float
    window: int


@dataclass(frozen=True, slots=True)
class Rule:
    """The action for photos for which a condition is true, whatever their scores."""

    name: str
    when: Expression
    action: Action


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy in force; `digest` identifies it in every decision."""

    mode: Mode
    blur: Threshold
    under: Threshold
    over: Threshold
    digest: str
    stack_verdict: StackVerdict = StackVerdict.BEST
    protect: Protection = Protection()
    named_rules: tuple[Rule, ...] = ()
    brake: BrakeLimit | None = None

    def of(self, defect: Defect) -> Threshold:
        """Return the thresholds of one defect."""
        return {Defect.BLUR: self.blur, Defect.UNDER: self.under, Defect.OVER: self.over}[defect]


@dataclass(frozen=True, slots=True)
class FolderPolicies:
    """The policy of each watched folder, and the `default` of the file, which no folder's own mode changes."""

    default: Policy
    by_root: Mapping[Path, Policy]
