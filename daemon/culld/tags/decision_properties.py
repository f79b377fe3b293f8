"""The machine's own record: what culld found, by which thresholds and with which network.

It goes into a namespace of our own, which every program tried keeps and none shows. It is the lasting truth beside
a photo, because a photo program may drop foreign keywords when it saves (darktable does).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from culld.records import Defect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from culld.records import Policy, Scores, Verdict

NAMESPACE = "https://culld.example/ns/1.0/"
"""Names our properties; `.example` is reserved (RFC 2606), so it can never become somebody's site."""

PREFIX = "culld"

TIME = "Time"
"""The property that says when; alone it is no reason to rewrite a record."""


@dataclass(frozen=True, slots=True)
class DecisionProperties:
    """One judgement: `rules` holds the thresholds and the policy's hash, `made_at` is an aware time."""

    scores: Scores
    rules: Policy
    verdict: Verdict
    model: str
    made_at: datetime
    version: str

    def properties(self) -> Mapping[str, str]:
        """The record as simple XMP values: probabilities with four decimals, time as ISO 8601 in UTC."""
        return {
            **{defect.value.title(): f"{self.scores.of(defect):.4f}" for defect in Defect},
            **{f"{defect.value.title()}Tag": f"{self.rules.of(defect).tag:g}" for defect in Defect},
            **{f"{defect.value.title()}Reject": self._reject(defect) for defect in Defect},
            "Mode": self.rules.mode.value,
            "Verdict": self.verdict.value,
            "Model": self.model,
            "Policy": self.rules.digest,
            TIME: self.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Version": self.version,
        }

    def _reject(self, defect: Defect) -> str:
        """The reject threshold in the words of the policy file."""
        threshold = self.rules.of(defect).reject
        return "never" if threshold is None else f"{threshold:g}"
