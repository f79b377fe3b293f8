"""Conditions of rules over columns: the same three-valued logic as `culld.rules`, for all rows of a table at once.

A value of a row is known, unknown, or open: an open one is not in the columns, such as the series of a photo, and a
condition that depends on it is decided for that photo alone.
"""

from __future__ import annotations

import ast
import operator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.rules import Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numbers:
    """A number, or true and false as 1 and 0, for each row; `known` and `open_` exclude each other."""

    values: npt.NDArray[np.float64]
    known: Mask
    open_: Mask


@dataclass(frozen=True, slots=True)
class Texts:
    """A text for each row: `codes` are positions in `words`; None is a word as well, for a text that is not known."""

    codes: npt.NDArray[np.int64]
    words: Sequence[str | None]
    open_: Mask


@dataclass(frozen=True, slots=True)
class Truths:
    """Where a condition is true, false, or open; elsewhere it is unknown."""

    true: Mask
    false: Mask
    open_: Mask


@dataclass(frozen=True, slots=True)
class RuleColumns:
    """The variables of conditions as columns of `count` rows, by name."""

    columns: Mapping[str, Numbers | Texts]
    count: int

    def truths(self, condition: Expression) -> Truths:
        """Return where a condition is true, false or open."""
        with np.errstate(all="ignore"):
            return self._truths(condition.tree)

    def _truths(self, node: ast.expr) -> Truths:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return reduce(_both, map(self._truths, values))
            case ast.BoolOp(values=values):
                return _negated(reduce(_both, (_negated(self._truths(each)) for each in values)))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _negated(self._truths(operand))
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                if self._texts_in(node) or _has_text(node):
                    return self._of_words(node)
                sides = [left, *comparators]
                return reduce(_both, (self._pair(*each) for each in zip(ops, sides, comparators, strict=False)))
            case _:
                return _as_truths(self._numbers(node))

    def _texts_in(self, node: ast.expr) -> dict[str, Texts]:
        names = {each.id: self.columns[each.id] for each in ast.walk(node) if isinstance(each, ast.Name)}
        return {name: column for name, column in names.items() if isinstance(column, Texts)}

    def _of_words(self, node: ast.expr) -> Truths:
        """Compare texts, once for each combination of texts that occurs."""
        texts = self._texts_in(node)
        none = np.zeros(self.count, bool)
        codes = np.zeros(self.count, np.int64)
        for column in texts.values():
            codes = codes * len(column.words) + column.codes
        found, places = np.unique(codes, return_inverse=True)
        facts = [_facts(int(code), texts) for code in found]
        true = np.array([Expression("", node).holds(each) for each in facts], bool)[places]
        opposite = Expression("", ast.UnaryOp(ast.Not(), node))
        false = np.array([opposite.holds(each) for each in facts], bool)[places]
        open_ = reduce(operator.or_, (column.open_ for column in texts.values()), none)
        return Truths(true & ~open_, false & ~open_, open_)

    def _pair(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Truths:
        one = self._numbers(left)
        if isinstance(right, ast.Tuple | ast.List):
            return self._membership(one, right.elts, negated=isinstance(op, ast.NotIn))
        other = self._numbers(right)
        open_, known = one.open_ | other.open_, one.known & other.known
        holds = _COMPARE[type(op)](one.values, other.values)
        unknown = _unknown(one) | _unknown(other)
        return Truths(known & holds, known & ~holds, open_ & ~unknown)

    def _membership(self, one: Numbers, members: Sequence[ast.expr], *, negated: bool) -> Truths:
        """Return whether a number is among others; of these an unknown one is like none."""
        found, open_ = np.zeros(self.count, bool), np.zeros(self.count, bool)
        for other in map(self._numbers, members):
            found |= one.known & other.known & (one.values == other.values)
            open_ |= other.open_
        unsure = (one.open_ | open_ & one.known) & ~found
        truths = Truths(found, one.known & ~found & ~unsure, unsure)
        return _negated(truths) if negated else truths

    def _numbers(self, node: ast.expr) -> Numbers:
        match node:
            case ast.Name(id=name):
                column = self.columns[name]
                assert isinstance(column, Numbers)  # noqa: S101 (texts are compared as words)
                return column
            case ast.Constant(value=bool() | int() | float() as value):
                return self._constant(float(value))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                one = self._numbers(operand)
                return Numbers(-one.values, one.known, one.open_)
            case ast.BinOp(op=op, left=left, right=right):
                return _calculated(type(op), self._numbers(left), self._numbers(right))
            case _:
                return _as_numbers(self._truths(node))

    def _constant(self, value: float) -> Numbers:
        return Numbers(np.full(self.count, value), np.ones(self.count, bool), np.zeros(self.count, bool))


def _both(one: Truths, other: Truths) -> Truths:
    false = one.false | other.false
    return Truths(one.true & other.true, false, (one.open_ | other.open_) & ~false)


def _negated(one: Truths) -> Truths:
    return Truths(one.false, one.true, one.open_)


def _unknown(one: Numbers) -> Mask:
    return ~(one.known | one.open_)


def _as_truths(one: Numbers) -> Truths:
    holds = one.values != 0
    return Truths(one.known & holds, one.known & ~holds, one.open_)


def _as_numbers(one: Truths) -> Numbers:
    return Numbers(one.true.astype(np.float64), one.true | one.false, one.open_)


def _calculated(op: type[ast.operator], one: Numbers, other: Numbers) -> Numbers:
    unknown = _unknown(one) | _unknown(other)
    known = one.known & other.known
    if op is ast.Div:
        known &= other.values != 0
        unknown |= other.known & (other.values == 0)
    return Numbers(_ARITHMETIC[op](one.values, other.values), known, (one.open_ | other.open_) & ~unknown)


def _facts(code: int, texts: Mapping[str, Texts]) -> dict[str, str | None]:
    """Return the texts of a combination, from the last column to the first."""
    found: dict[str, str | None] = {}
    for name, column in reversed(list(texts.items())):
        code, at = divmod(code, len(column.words))
        found[name] = column.words[at]
    return found


def _has_text(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in ast.walk(node))
