"""What other thresholds would change, by the stored scores of all photos, and exactly for those that change sides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.app.review.columns import ANSWERS, VERDICTS, is_superseded
from culld.app.review.feedback import DEFECTS, deciding_defect, is_false, is_reject, is_right, rate
from culld.app.review.index_answer import reaching, tagged_bits
from culld.app.review.replay import ExactReplay
from culld.records import Defect, Threshold, Verdict
from culld.records.review import BY_PERSON, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culld.app.review.index import Index
    from culld.app.review.index_answer import Columns
    from culld.journal.review import ReviewReader
    from culld.records import FolderPolicies, Policy

MOST_EXACT: Final = 500
"""So many photos that change sides are decided about again with all their facts, with the others of their series and
shots; of more, those near the thresholds."""
_MOST_COMPANIONS: Final = 1_000
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
class Judged:
    """What a simulation needs of the photos: their scores, and what the policy in force makes of them.

    `rows` are the last decisions about each photo that have scores and were carried out, `rejects` those with an answer
    of a person, and `decided` the positions of the defects that these were decided by. `rejected` and `tagged` are as
    recorded; `before` is the side of the thresholds at the decision, `bits` the tagged defects by the policy in force.
    `settled` photos keep their verdict: a person decided about them.
    """

    rows: Columns
    rejected: NDArray[np.bool_]
    tagged: NDArray[np.bool_]
    settled: NDArray[np.bool_]
    before: NDArray[np.bool_]
    bits: NDArray[np.uint8]
    rejects: NDArray[np.void]
    decided: NDArray[np.uint8]

    @classmethod
    def of(cls, index: Index, policy: Policy) -> Judged:
        """Return the photos of an index under the policy in force."""
        rows, rules = _last_judged(index), index.names.rules
        by_person = rows["rule"] == rules.number(BY_PERSON, BY_PERSON)
        columns = {name: np.ascontiguousarray(rows[name]) for name in ("id", "burst", "shot", "light", *Defect)}
        in_force = rows["policy"] == index.names.policies.number(policy.digest, policy.digest)
        rejects = index.rows[is_reject(index.rows, rules)]
        rejects = rejects[is_false(rejects) | is_right(rejects)]
        return cls(
            rows=columns,
            rejected=rows["unwanted"] & ~rows["restored"],
            tagged=rows["verdict"] != VERDICTS.index(Verdict.KEEP),
            settled=rows["restored"] | (rows["answer"] == ANSWERS.index(Answer.UNTAGGED)) | by_person,
            before=np.where(in_force, _reaching_reject(columns, policy), rows["unwanted"]),
            bits=tagged_bits(columns, policy),
            rejects=rejects,
            decided=deciding_defect(rejects, rules),
        )


def _last_judged(index: Index) -> NDArray[np.void]:
    rows = index.rows
    readable = (rows["verdict"] != VERDICTS.index(Verdict.UNREADABLE)) & ~np.isnan(rows["blur"])
    stays = (rows["released"] == 0) | rows["restored"]
    found: NDArray[np.void] = rows[~is_superseded(rows) & ~rows["failed"] & readable & stays]
    return found


@dataclass(slots=True)
class Simulator:
    """Simulates over the index, as the policy would act in mode enforce; used by the thread that reads the journal."""

    replay: ExactReplay = field(default_factory=ExactReplay)
    _judged: tuple[tuple[int, str], Judged] | None = None

    def simulate(
        self, journal: ReviewReader, index: Index, request: SimulateRequest, policies: FolderPolicies
    ) -> dict[str, Any]:
        """Return counts now and then, how many photos change sides, and which."""
        judged, then = self._photos(index, policies.default), request.applied_to(policies.default)
        changing = Changing.of(judged, then)
        wanted = changing.approximate(judged)
        wanted[changing.exact] = self.replay.rejected(
            journal, index, judged.rows["id"][changing.exact], request.applied_to, policies
        )
        return {"change": index.change} | _answer(judged, wanted, then, request) | {"exact": changing.is_exact}

    def _photos(self, index: Index, policy: Policy) -> Judged:
        key = (index.change, policy.digest)
        if self._judged is None or self._judged[0] != key:
            self._judged = key, Judged.of(index, policy)
        return self._judged[1]


@dataclass(frozen=True, slots=True)
class Changing:
    """The positions of the photos whose scores come to the other side of the thresholds.

    `exact` are the nearest of them, and the other photos of their series and shots, whose verdicts may change as well;
    `is_exact`: these are all. Every other photo keeps its verdict, which also rests on what scores do not say.
    """

    all: NDArray[np.intp]
    exact: NDArray[np.intp]
    reaches: NDArray[np.bool_]
    is_exact: bool

    @classmethod
    def of(cls, judged: Judged, then: Policy) -> Changing:
        """Return the photos that other thresholds change."""
        reaches = _reaching_reject(judged.rows, then)
        changed = np.flatnonzero((reaches != judged.before) & ~judged.settled)
        chosen = changed
        if len(changed) > MOST_EXACT:
            near = _distance(judged.rows, then, changed)
            chosen = changed[np.argpartition(near, MOST_EXACT)[:MOST_EXACT]]
        beside = _companions(judged, chosen)
        is_exact = len(chosen) == len(changed) and len(beside) <= _MOST_COMPANIONS
        return cls(changed, np.concatenate([chosen, beside[:_MOST_COMPANIONS]]), reaches, is_exact)

    def approximate(self, judged: Judged) -> NDArray[np.bool_]:
        """Return which photos would be rejected by their scores alone."""
        wanted = judged.rejected.copy()
        wanted[self.all] = self.reaches[self.all]
        return wanted


def _companions(judged: Judged, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the positions of the other photos of the series and shots of some photos."""
    found = np.zeros(len(judged.rejected), np.bool_)
    for column in ("burst", "shot"):
        groups = judged.rows[column][chosen]
        found |= np.isin(judged.rows[column], groups[groups > 0])
    found[chosen] = False
    return np.flatnonzero(found & ~judged.settled)


def _answer(judged: Judged, wanted: NDArray[np.bool_], then: Policy, request: SimulateRequest) -> dict[str, Any]:
    bits = tagged_bits(judged.rows, then)
    tagged = np.where((bits > 0) == (judged.bits > 0), judged.tagged, bits > 0) & ~judged.settled
    tagged |= judged.tagged & judged.settled
    moved = {
        "move": wanted & ~judged.rejected,
        "come_back": judged.rejected & ~wanted,
        "tag": tagged & ~judged.tagged & ~wanted,
        "untag": judged.tagged & ~tagged & ~judged.rejected,
    }
    answer = {
        "now": _counts(judged.rejected, judged.tagged),
        "then": _counts(wanted, tagged),
        **{f"would_{name}": int(chosen.sum()) for name, chosen in moved.items()},
        "false_rejects": _false_rejects(judged, then),
        "yaml": yaml_of(then),
    }
    if request.ids:
        answer["ids"] = {name: _nearest(judged.rows, then, np.flatnonzero(chosen)) for name, chosen in moved.items()}
    return answer


def _nearest(rows: Columns, policy: Policy, chosen: NDArray[np.intp]) -> list[int]:
    """Return the numbers of photos, those nearest to a threshold first."""
    order = np.argsort(_distance(rows, policy, chosen), kind="stable")[:MOST_IDS]
    return [int(each) for each in rows["id"][chosen[order]]]


def _false_rejects(judged: Judged, then: Policy) -> dict[str, Any]:
    """Return the answers to rejects by each defect at or above its threshold, and the rate of false ones."""
    return {
        defect.value: rate(
            judged.rejects[(judged.decided == number) & reaching(judged.rejects, defect, then.of(defect).reject, then)]
        )
        for number, defect in enumerate(DEFECTS)
    }


def _counts(rejected: NDArray[np.bool_], tagged: NDArray[np.bool_]) -> dict[str, int]:
    only_tagged = int((tagged & ~rejected).sum())
    moved = int(rejected.sum())
    return {"kept": len(rejected) - moved - only_tagged, "tagged": only_tagged, "rejected": moved}


def _reaching_reject(rows: Columns, policy: Policy) -> NDArray[np.bool_]:
    found = np.zeros(len(rows["blur"]), np.bool_)
    for defect in Defect:
        found |= reaching(rows, defect, policy.of(defect).reject, policy)
    return found


def _distance(rows: Columns, policy: Policy, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how far some photos are from the nearest threshold, as a difference of probabilities."""
    near = np.full(len(chosen), np.inf)
    for defect in Defect:
        for limit in (policy.of(defect).tag, policy.of(defect).reject):
            if limit is not None:
                near = np.fmin(near, np.abs(rows[defect.value][chosen] - limit))
    return near


def yaml_of(policy: Policy) -> str:
    """Return the thresholds as they are written in the configuration file."""
    lines = ["policy:", "  defects:"]
    for defect in Defect:
        threshold = policy.of(defect)
        reject = "never" if threshold.reject is None else f"{threshold.reject:.9g}"
        lines.append(f"    {defect}: {{tag: {threshold.tag:.9g}, reject: {reject}}}")
    return "\n".join(lines) + "\n"
