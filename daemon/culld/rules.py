"""The rule language, such as `blur > 0.8 and iso < 6400`: parsed by Python's `ast`, evaluated by this module.

Only these syntax nodes are allowed: comparisons, `and`, `or`, `not`, `in`, the four operations, names and constants.
A variable without a value for the photo is unknown, and so is every expression that depends on it (Kleene's
three-valued logic); a rule applies only where its condition is true.
"""

from __future__ import annotations

import ast
import difflib
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Fact = float | str | bool | None
    Facts = Mapping[str, Fact]

NUMBER: Final = "a number"
TEXT: Final = "a text"
TRUTH: Final = "true or false"

VARIABLES: Final = {
    "blur": NUMBER,
    "under": NUMBER,
    "over": NUMBER,
    "missed_focus": NUMBER,
    "faces": NUMBER,
    "face_blur": NUMBER,
    "face_light": NUMBER,
    "sharpness": NUMBER,
    "sharp_share": NUMBER,
    "share_blur": NUMBER,
    "share_clipped": NUMBER,
    "subject_sharp": TRUTH,
    "iso": NUMBER,
    "aperture": NUMBER,
    "exposure_time": NUMBER,
    "bias": NUMBER,
    "light_value": NUMBER,
    "focal_length": NUMBER,
    "camera": TEXT,
    "hour": NUMBER,
    "age_days": NUMBER,
    "name": TEXT,
    "extension": TEXT,
    "folder": TEXT,
    "longest": NUMBER,
    "pictures": NUMBER,
    "raw": TRUTH,
    "series": TEXT,
    "series_ev": NUMBER,
}
"""The variables of conditions and their types; `stages.decide.rule_variables` gives their values."""

REGION_VARIABLES: Final = frozenset({"share_blur", "share_clipped", "subject_sharp"})
"""The variables for which a photo must be segmented; that is done only where a rule names one of them."""

_EXAMPLE: Final = "blur > 0.8 and iso < 6400"
_LIST: Final = '("jpg", "png")'
_MOST_CHARACTERS: Final = 500
_LARGEST: Final = 1e15
_ORDER: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUALITY: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
_COMPARE: Final = _ORDER | _EQUALITY
_ARITHMETIC: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked condition; two conditions are equal if their texts are equal."""

    text: str
    tree: ast.expr = field(compare=False, repr=False)

    @property
    def variables(self) -> frozenset[str]:
        """The variables that the condition names."""
        return frozenset(node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))

    def holds(self, facts: Facts) -> bool:
        """Return whether the condition is true for the values of a photo; false if it is unknown."""
        return _value(self.tree, facts) is True


def parse(text: str, kinds: Mapping[str, str] = VARIABLES) -> Expression:
    """Check a condition; `kinds` gives the type of each variable: NUMBER, TEXT or TRUTH.

    Raises ValueError with the column and what is allowed there.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"a condition may have {_MOST_CHARACTERS} characters, this one has {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        is_located = error.lineno == 1 and error.offset
        column = error.offset if is_located else len(text.strip()) + 1  # the text ends too early
        raise ValueError(f"column {column}: not understood ({error.msg}); write, for example, {_EXAMPLE}") from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise ValueError(f"not understood ({error}); write, for example, {_EXAMPLE}") from None
    kind = _Check(kinds).kind(tree)
    if kind != TRUTH:
        _type_problem(tree, f"the condition is {kind}, which is never true or false; write, for example, {_EXAMPLE}")
    return Expression(text.strip(), tree)


@dataclass(frozen=True, slots=True)
class _Check:
    """Returns the type of each node; raises ValueError for a node that is not allowed."""

    kinds: Mapping[str, str]

    def kind(self, node: ast.expr) -> str:
        """Return the type of a node; raises ValueError."""
        match node:
            case ast.BoolOp(values=values):
                found, needs = TRUTH, [(value, TRUTH) for value in values]
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                found, needs = TRUTH, [(operand, TRUTH)]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                found, needs = NUMBER, [(operand, NUMBER)]
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _ARITHMETIC:
                found, needs = NUMBER, [(left, NUMBER), (right, NUMBER)]
            case ast.Compare():
                self._compare(node)
                return TRUTH
            case _:
                return self._leaf(node)
        for part, wanted in needs:
            self._need(part, wanted)
        return found

    def _leaf(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self.kinds.get(node.id) or self._unknown(node, node.id)
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, bool):
            return TRUTH
        if isinstance(value, str):
            return TEXT
        if not isinstance(value, int | float) or value >= _LARGEST:
            _type_problem(node, f"{ast.unparse(node)!r} is not allowed in a condition; write, for example, {_EXAMPLE}")
        return NUMBER

    def _compare(self, node: ast.Compare) -> None:
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                self._membership(left, right)
            elif type(op) in _COMPARE:
                kind = self.kind(left)
                self._need(right, kind)
                if type(op) in _ORDER and kind != NUMBER:
                    _type_problem(left, f"{ast.unparse(left)} is {kind}, and only numbers have an order; use == or in")
            else:
                _type_problem(node, "only < <= > >= == != in and not in compare here")
            left = right

    def _membership(self, left: ast.expr, right: ast.expr) -> None:
        kind = self.kind(left)
        if isinstance(right, ast.Tuple | ast.List):
            for each in right.elts:
                self._need(each, kind)
        elif kind != TEXT or self.kind(right) != TEXT:
            _type_problem(right, f"`in` needs a list such as {_LIST} on its right side, or a text on both sides")

    def _need(self, node: ast.expr, wanted: str) -> None:
        kind = self.kind(node)
        if kind != wanted:
            _type_problem(node, f"{ast.unparse(node)} is {kind}, but {wanted} is needed here")

    def _unknown(self, node: ast.expr, name: str) -> NoReturn:
        near = difflib.get_close_matches(name, self.kinds, n=1)
        hint = f"did you mean {near[0]}? known" if near else "known"
        _type_problem(node, f"{name} is not known; {hint} are {', '.join(self.kinds)}")


def _type_problem(node: ast.expr, text: str) -> NoReturn:
    raise ValueError(f"column {node.col_offset + 1}: {text}")


def _value(node: ast.expr, facts: Facts) -> Any:
    """Return the value of a checked node; None if it is unknown."""
    match node:
        case ast.BoolOp(op=op, values=values):
            return _joined([_value(value, facts) for value in values], decisive=isinstance(op, ast.Or))
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, facts)
            return None if value is None else (not value if isinstance(op, ast.Not) else -value)
        case ast.BinOp(op=op, left=left, right=right):
            return _calculated(type(op), _value(left, facts), _value(right, facts))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            operands = [left, *comparators]
            pairs = zip(ops, operands, comparators, strict=False)
            found = [_compared(op, _value(a, facts), _members(b, facts)) for op, a, b in pairs]
            return _joined(found, decisive=False)
        case ast.Name(id=name):
            return facts[name]
        case ast.Constant(value=value):
            return float(value) if type(value) is int else value  # a float overflows to infinity without an error
    raise AssertionError(node)


def _joined(values: list[bool | None], *, decisive: bool) -> bool | None:
    """Combine values by `or` (true is decisive) or by `and` (false is decisive); None if the result is unknown."""
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def _calculated(op: type[ast.operator], left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (op is ast.Div and right == 0):
        return None
    return _ARITHMETIC[op](left, right)


def _members(node: ast.expr, facts: Facts) -> Any:
    if isinstance(node, ast.Tuple | ast.List):
        return [_casefolded(_value(each, facts)) for each in node.elts]
    return _value(node, facts)


def _compared(op: ast.cmpop, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(op, ast.In | ast.NotIn):
        return (_casefolded(left) in _casefolded(right)) is isinstance(op, ast.In)
    return _COMPARE[type(op)](_casefolded(left), _casefolded(right))


def _casefolded(value: Any) -> Any:
    """Return a text case-folded; return any other value unchanged."""
    return value.casefold() if isinstance(value, str) else value
