"""What a policy says about each row of a table by its columns alone, and about which rows it cannot say so.

A row is settled if thresholds and rules over columns decide about it. A row whose outcome may depend on other rows or
on what its user did is left to `culld.stages.decide`; a settled reject still is one only if no series protects it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.archive.simulation.outcomes import OUTCOMES
from culld.archive.simulation.rule_columns import RuleColumns
from culld.records import Action, Defect, Format

if TYPE_CHECKING:
    import numpy.typing as npt

    from culld.archive.simulation.photo_columns import PhotoColumns
    from culld.archive.simulation.rule_columns import Mask
    from culld.records import Policy

KEPT, TAGGED, REJECTED, UNREADABLE, FAILED = range(len(OUTCOMES))
NO_RULE: Final = -1
_COLUMNS: Final = {Defect.BLUR: "blur", Defect.UNDER: "under", Defect.OVER: "over", Defect.FOCUS: "focus"}
_DEFECTS: Final = tuple(Defect)


@dataclass(frozen=True, slots=True)
class Screened:
    """The outcome of each row, as a position in `OUTCOMES`; its defects, one bit each in the order of `Defect`.

    `rules` are positions in `names`, the rules and thresholds that decide, or `NO_RULE`. Rows that are `unsure` must be
    decided alone. `is_bad` are those that a rule or threshold rejects, whatever protects them; `stops` those whose
    action counts for the other photos of the shot too.
    """

    outcomes: npt.NDArray[np.int8]
    defects: npt.NDArray[np.int8]
    rules: npt.NDArray[np.int16]
    names: tuple[str, ...]
    unsure: Mask
    is_bad: Mask
    stops: Mask


def rule_names(policy: Policy) -> tuple[str, ...]:
    """Return the names of the rules and thresholds of a policy, in the form of `Decision.rule`."""
    limits = [f"policy.defects.{defect}.{kind}" for kind in ("reject", "tag") for defect in _DEFECTS]
    rules = [f"policy.rules.{rule.name}" for rule in policy.named_rules]
    return (*rules, *limits, "policy.clips.reject", "policy.clips.tag")


def screen(photos: PhotoColumns, policy: Policy) -> Screened:
    """Return what a policy says about each row of a table."""
    has_scores, names = photos.has_scores, rule_names(policy)
    wrong = has_scores & _invalid(photos)
    matched, actions, open_ = _matching(photos, policy)
    tag, reject = (_reached(photos, policy, kind) for kind in ("tag", "reject"))
    by_threshold = matched == NO_RULE
    bad = has_scores & ((actions == _CODES[Action.QUARANTINE]) | (by_threshold & (reject > 0)))
    keeps = has_scores & (actions == _CODES[Action.KEEP])
    tagged = has_scores & ~keeps & (tag > 0)
    count = len(policy.named_rules)
    rules = np.where(bad & by_threshold, count + _first(reject), matched)
    tag_rule = np.where(by_threshold, count + len(_DEFECTS) + _first(tag), matched)
    rules = np.where(bad | keeps, rules, np.where(tagged, tag_rule, NO_RULE))
    outcomes = np.select(
        [keeps, bad, tagged, has_scores, photos.is_judged], [KEPT, REJECTED, TAGGED, KEPT, UNREADABLE], FAILED
    )
    is_clip = photos.words("format") == str(Format.VIDEO)
    unsure = has_scores & (wrong | open_ | is_clip) | bad & _may_be_protected(photos, policy)
    stops = bad | keeps | unsure
    found = np.where(bad | tagged, tag, 0)
    return Screened(outcomes.astype(np.int8), found.astype(np.int8), rules.astype(np.int16), names, unsure, bad, stops)


_CODES: Final = {action: at for at, action in enumerate(Action)}
_NONE: Final = -1


def _matching(photos: PhotoColumns, policy: Policy) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Mask]:
    """Return the first rule that holds for each row, its action, and where that cannot be said by the columns."""
    matched = np.full(photos.count, NO_RULE)
    actions, open_ = np.full(photos.count, _NONE), np.zeros(photos.count, bool)
    wanted = {name for rule in policy.named_rules for name in rule.when.variables}
    columns = RuleColumns(photos.variables(wanted), photos.count)
    for at, rule in enumerate(policy.named_rules):
        truths = columns.truths(rule.when)
        free = (matched == NO_RULE) & ~open_
        open_ |= free & truths.open_
        here = free & truths.true
        matched[here], actions[here] = at, _CODES[rule.action]
    return matched, actions, open_


def _reached(photos: PhotoColumns, policy: Policy, kind: str) -> npt.NDArray[np.int64]:
    """Return the defects whose threshold of a kind each row reaches, one bit each."""
    found = np.zeros(photos.count, np.int64)
    for bit, defect in enumerate(_DEFECTS):
        limit = getattr(policy.of(defect), kind)
        if limit is None:
            continue
        reached = np.nan_to_num(photos.numbers(_COLUMNS[defect]), nan=-1.0) >= limit
        if defect is Defect.UNDER:
            reached &= ~_is_night(photos, policy, reached)
        found |= reached.astype(np.int64) << bit
    return found


def _is_night(photos: PhotoColumns, policy: Policy, rows: Mask) -> Mask:
    found, limit = np.zeros(photos.count, bool), policy.protect.night_below
    if limit is not None:
        at = np.flatnonzero(rows)
        found[at] = photos.light_values(at) < limit
    return found


def _invalid(photos: PhotoColumns) -> Mask:
    """Return where a score is not a probability."""
    found = np.zeros(photos.count, bool)
    for name in _COLUMNS.values():
        values = photos.numbers(name)
        found |= photos.known(name) & ~((values >= 0) & (values <= 1))
    return found


def _may_be_protected(photos: PhotoColumns, policy: Policy) -> Mask:
    """Return the rows that something but a series may protect."""
    limit = policy.protect.smaller_than
    small = photos.longest < (-math.inf if limit is None else limit)
    marked = np.nan_to_num(photos.numbers("marked"), nan=1.0) != 0
    return np.asarray(photos.has_siblings | photos.has_blocking | marked | small)


def _first(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the position of the lowest bit; 0 if there is none."""
    lowest = bits & -bits
    return np.select([lowest == 1 << bit for bit in range(1, len(_DEFECTS))], list(range(1, len(_DEFECTS))), 0)
