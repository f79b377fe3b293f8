"""What other thresholds would change, by the stored scores of all photos, and exactly for those that change sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.app.review.columns import ANSWERS, VERDICTS, is_superseded
from culld.app.review.feedback import DEFECTS, deciding_defect, is_reject, rate
from culld.app.review.index_answer import reaching, tagged_bits
from culld.records import Defect, Threshold, Verdict
from culld.records.review import BY_PERSON, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culld.app.review.index import Index
    from culld.app.review.replay import ExactReplay
    from culld.journal.review import ReviewReader
    from culld.records import FolderPolicies, Policy

MOST_EXACT: Final = 500
"""So many photos that change sides are decided about again with all their facts; of more, those near the thresholds."""
MOST_IDS: Final = 2_000
"""The largest number of photos in each list of ids."""


@dataclass(frozen=True, slots=True)
class SimulateRequest:
    """Thresholds to try; a defect that is left out keeps its own. With `ids` the answer names the photos."""

    thresholds: Mapping[Defect, Threshold]
    ids: bool = False

    def applied_to(self, policy: Policy) -> Policy:
        """Return the policy with these thresholds."""
        blur, under, over, focus = (self.thresholds.get(defect, policy.of(defect)) for defect in Defect)
        return replace(policy, blur=blur, under=under, over=over, focus=focus)


@dataclass(frozen=True, slots=True)
class Simulator:
    """Simulates over the index, as the policy would act in mode enforce; used by the thread that reads the journal."""

    journal: ReviewReader
    index: Index
    replay: ExactReplay

    def simulate(self, request: SimulateRequest, policies: FolderPolicies) -> dict[str, Any]:
        """Return counts now and then, how many photos change sides, and which."""
        rows, now, then = self._judged(), policies.default, request.applied_to(policies.default)
        rejected = rows["unwanted"] & ~rows["restored"]
        wanted, exact = self._rejected_then(rows, rejected, now, request, policies)
        tags_now = rows["verdict"] != VERDICTS.index(Verdict.KEEP)
        differ = (tagged_bits(rows, then) > 0) != (tagged_bits(rows, now) > 0)
        tags_then = np.where(differ, tagged_bits(rows, then) > 0, tags_now)
        move, back = wanted & ~rejected, rejected & ~wanted
        tag, untag = tags_then & ~tags_now & ~wanted, tags_now & ~tags_then & ~rejected
        answer: dict[str, Any] = {
            "change": self.index.change,
            "now": _counts(rejected, tags_now),
            "then": _counts(wanted, tags_then),
            "would_move": int(move.sum()),
            "would_come_back": int(back.sum()),
            "would_tag": int(tag.sum()),
            "would_untag": int(untag.sum()),
            "exact": exact,
            "false_rejects": self._false_rejects(then),
            "yaml": yaml_of(then),
        }
        if request.ids:
            near = _distance(rows, then)
            answer["ids"] = {
                name: rows["id"][chosen][np.argsort(near[chosen], kind="stable")][:MOST_IDS].tolist()
                for name, chosen in (("move", move), ("come_back", back), ("tag", tag), ("untag", untag))
            }
        return answer

    def _judged(self) -> NDArray[np.void]:
        """Return the last decision about each photo that has scores and that culld carried out."""
        rows = self.index.rows
        readable = (rows["verdict"] != VERDICTS.index(Verdict.UNREADABLE)) & ~np.isnan(rows["blur"])
        stays = (rows["released"] == 0) | rows["restored"]
        found: NDArray[np.void] = rows[~is_superseded(rows) & ~rows["failed"] & readable & stays]
        return found

    def _rejected_then(
        self,
        rows: NDArray[np.void],
        rejected: NDArray[np.bool_],
        now: Policy,
        request: SimulateRequest,
        policies: FolderPolicies,
    ) -> tuple[NDArray[np.bool_], bool]:
        """Return which photos would be rejected, and whether that is exact for all that change sides.

        A photo whose scores are on the same side of the thresholds as at its decision keeps its verdict, which also
        rests on what the scores do not say: protection, rules, other shots.
        """
        then = request.applied_to(now)
        reaches = _reaching_reject(rows, then)
        in_force = self.index.names.policies.number(now.digest, now.digest)
        before = np.where(rows["policy"] == in_force, _reaching_reject(rows, now), rows["unwanted"])
        settled = rows["restored"] | (rows["answer"] == ANSWERS.index(Answer.UNTAGGED)) | self._by_person(rows)
        changed = np.flatnonzero((reaches != before) & ~settled)
        near = _distance(rows[changed], then)
        chosen = changed[np.argsort(near, kind="stable")][:MOST_EXACT]
        wanted = rejected.copy()
        wanted[changed] = reaches[changed]
        wanted[chosen] = self.replay.rejected(
            self.journal, self.index, rows["id"][chosen], rows["burst"][chosen], request.applied_to, policies
        )
        return wanted, len(chosen) == len(changed)

    def _by_person(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = rows["rule"] == self.index.names.rules.number(BY_PERSON, BY_PERSON)
        return found

    def _false_rejects(self, then: Policy) -> dict[str, Any]:
        """Return the answers to rejects by each defect at or above the threshold, and the rate of false ones."""
        rows, rules = self.index.rows, self.index.names.rules
        rejects = rows[is_reject(rows, rules)]
        decided = deciding_defect(rejects, rules)
        return {
            defect.value: rate(rejects[(decided == number) & reaching(rejects, defect, then.of(defect).reject, then)])
            for number, defect in enumerate(DEFECTS)
        }


def _counts(rejected: NDArray[np.bool_], tagged: NDArray[np.bool_]) -> dict[str, int]:
    only_tagged = int((tagged & ~rejected).sum())
    moved = int(rejected.sum())
    return {"kept": len(rejected) - moved - only_tagged, "tagged": only_tagged, "rejected": moved}


def _reaching_reject(rows: NDArray[np.void], policy: Policy) -> NDArray[np.bool_]:
    found = np.zeros(len(rows), np.bool_)
    for defect in Defect:
        found |= reaching(rows, defect, policy.of(defect).reject, policy)
    return found


def _distance(rows: NDArray[np.void], policy: Policy) -> NDArray[np.float64]:
    """Return how far each photo is from the nearest threshold, as a difference of probabilities."""
    near = np.full(len(rows), np.inf)
    for defect in Defect:
        for limit in (policy.of(defect).tag, policy.of(defect).reject):
            if limit is not None:
                near = np.fmin(near, np.abs(rows[defect.value] - limit))
    return near


def yaml_of(policy: Policy) -> str:
    """Return the thresholds as they are written in the configuration file."""
    lines = ["policy:", "  defects:"]
    for defect in Defect:
        threshold = policy.of(defect)
        reject = "never" if threshold.reject is None else f"{threshold.reject:.9g}"
        lines.append(f"    {defect}: {{tag: {threshold.tag:.9g}, reject: {reject}}}")
    return "\n".join(lines) + "\n"
