"""The records of a simulation: what a policy would do to the photos of an archive."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES: Final = 3
"""So many photos are named for each group and outcome."""


class Outcome(StrEnum):
    """What would happen to a photo; in mode observe a photo that counts as quarantined is not moved."""

    KEPT = "kept"
    TAGGED = "tagged"
    QUARANTINED = "quarantined"
    UNREADABLE = "unreadable"
    """Its bytes cannot be decoded; it stays."""
    FAILED = "failed"
    """Its row has no judgement: it could not be read, or ended its workers."""


OUTCOMES: Final = tuple(Outcome)


class Kind(StrEnum):
    """By what photos are grouped."""

    DEFECT = "defect"
    CAMERA = "camera"
    MONTH = "month"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Example:
    """A photo of a group: its path, safe to print, and the reason of the decision."""

    path: str
    outcome: Outcome
    reason: str


@dataclass(slots=True)
class Group:
    """The counts of photos of a defect, camera, month or rule by their outcome, and examples of each outcome."""

    counts: dict[Outcome, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)

    def lacks(self, outcome: Outcome) -> int:
        """Return how many more examples of an outcome are wanted."""
        return EXAMPLES - sum(each.outcome is outcome for each in self.examples)

    def add(self, other: Group) -> None:
        """Add the photos of another part of the archive."""
        for outcome, number in other.counts.items():
            self.counts[outcome] = self.counts.get(outcome, 0) + number
        for each in other.examples:
            if self.lacks(each.outcome) > 0:
                self.examples.append(each)


@dataclass(frozen=True, slots=True)
class Missing:
    """The rows that an archive lacks: photos that its scans planned and that have no row yet."""

    photos: int = 0
    of: int = 0


@dataclass(slots=True)
class Simulation:
    """What a policy would do: counts by outcome, and by kind and name of a group.

    `protected` are photos that a rule or threshold rejects, and that stay. `notes` are sentences about what the counts
    do not say.
    """

    policy: str
    counts: dict[Outcome, int] = field(default_factory=dict)
    protected: int = 0
    groups: dict[Kind, dict[str, Group]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    missing: Missing = field(default_factory=Missing)
    notes: list[str] = field(default_factory=list)

    @property
    def photos(self) -> int:
        """The number of photos."""
        return sum(self.counts.values())

    def count(self, outcome: Outcome, number: int) -> None:
        """Add photos of an outcome."""
        if number:
            self.counts[outcome] = self.counts.get(outcome, 0) + number

    def group(self, kind: Kind, name: str) -> Group:
        """Return a group; a new one has no photos."""
        return self.groups[kind].setdefault(name, Group())

    def noted(self, notes: Sequence[str]) -> Self:
        """Add sentences, each once."""
        self.notes += [each for each in notes if each not in self.notes]
        return self

    def add(self, other: Simulation) -> None:
        """Add the photos of another part of the archive."""
        for outcome, number in other.counts.items():
            self.count(outcome, number)
        self.protected += other.protected
        for kind, groups in other.groups.items():
            for name, group in groups.items():
                self.group(kind, name).add(group)
