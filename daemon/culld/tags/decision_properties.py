"""The decision about a photo as XMP properties: scores, thresholds, network.

They stand in culld's own namespace, which every program tried keeps and none shows. They are the lasting record beside
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
"""The namespace of culld's properties; `.example` is reserved (RFC 2606), so it never becomes a real site."""

PREFIX = "culld"

TIME = "Time"
"""The property with the time of the decision; a sidecar is not rewritten for this property alone."""


@dataclass(frozen=True, slots=True)
class DecisionProperties:
    """One decision: `rules` holds the thresholds and the policy's hash, `made_at` is a time with a zone."""

    scores: Scores
    rules: Policy
    verdict: Verdict
    model: str
    made_at: datetime
    version: str

    def properties(self) -> Mapping[str, str]:
        """The properties as simple XMP values: probabilities with four decimals, the time as ISO 8601 in UTC."""
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
        """The reject threshold as the policy file spells it."""
        threshold = self.rules.of(defect).reject
        return "never" if threshold is None else f"{threshold:g}"
