"""The messages about a configuration, one line a problem: file, line, key, problem, and what is allowed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import EnumType
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel

from culld.config.fields import OrPrecision, OrWord
from culld.config.types import format_value
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_RENAMED: Final = {
    "history": "keep_history",
    "limits.seconds": "limits.time",
    "policy.stacks": "policy.stack_verdict",
    "policy.protect.night": "policy.protect.night_below",
    "policy.brake.photos": "policy.brake.window",
    "policy.brake.share": "policy.brake.max_share",
    "tags.marks": "tags.reject_flags",
}
"""Keys of earlier versions, and their present names."""

_REWRITTEN: Final = {"limits.seconds": ", written as a duration such as 60s"}
"""What else changed together with the name."""

_SENTENCES: Final = {
    "missing": "`{key}` is missing; it has no default",
    "model_type": "{value} stands where a section belongs; its keys are {keys}",
    "model_attributes_type": "{value} stands where a section belongs; its keys are {keys}",
    "tuple_type": "{value} is not a list; write {allowed}",
    "float_type": "{value} is not a number; write {allowed}",
    "finite_number": "{value} is not a number; write {allowed}",
    "greater_than": "{value} is out of range; write {allowed}",
    "greater_than_equal": "{value} is out of range; write {allowed}",
    "less_than": "{value} is out of range; write {allowed}",
    "less_than_equal": "{value} is out of range; write {allowed}",
    "bool_type": "{value} is not allowed; write {allowed}",
    "enum": "{value} is not allowed; write {allowed}",
    "int_type": "{value} is not allowed; write {allowed}",
    "string_pattern_mismatch": "{value} is not allowed; write {allowed}",
    "string_too_long": "{value} is not allowed; write {allowed}",
    "string_type": "{value} is not allowed; write {allowed}",
    "string_unicode": "{value} is not allowed; write {allowed}",
}
"""The sentence for each type of pydantic's errors; `allowed` is what may be written instead."""

_PERCENT: Final = 100
_ENDS: Final = frozenset({"ge", "le"})

Key = tuple[str | int, ...]
"""The path of a value in the file: the names of its sections and the indexes of its list items."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, on a line counted from 1; an empty key is the file as a whole."""

    line: int
    key: Key
    text: str

    def as_text(self, file: Path) -> str:
        """Return `file:line: dotted.key: problem; what is allowed`."""
        where = f"{display_path(file)}:{self.line}: "
        return where + (f"{dotted(self.key)}: " if self.key else "") + self.text


def dotted(key: Key) -> str:
    """Return `watch[0].path` for `("watch", 0, "path")`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def explain(error: ErrorDetails, schema: type[BaseModel]) -> str:
    """Return the sentence for an error of pydantic, with what is allowed instead."""
    kind, key = error["type"], error["loc"]
    if kind == "extra_forbidden":
        return _unknown(key, schema)
    field = _field(key, schema)
    if sentence := _SENTENCES.get(kind):
        text = sentence.format(
            key=key[-1] if key else "",
            value=format_value(error["input"]),
            keys=", ".join(fields(_section(key, schema))),
            allowed="" if field is None else _allowed(field, is_item=isinstance(key[-1], int)),
        )
    else:  # raised by a function of `types`, whose text says what is allowed
        text = str(error.get("ctx", {}).get("error", error["msg"]))
    return text + _percent(error) + _alternatives(field)


def _allowed(field: FieldInfo, *, is_item: bool) -> str:
    """Return what may be written for a field, or for an item of its list, by its description or its type."""
    if field.description:
        return field.description
    inner = get_args(field.annotation)
    kind = inner[0] if inner else field.annotation
    if kind is bool:
        return "true or false"
    if isinstance(kind, EnumType):
        words = [str(member.value) for member in kind]
        is_list = Ellipsis in inner and not is_item
        return f"[] or some of [{', '.join(words)}]" if is_list else " or ".join(words)
    bounds = {end: getattr(mark, end) for mark in field.metadata for end in _ENDS if hasattr(mark, end)}
    return "a whole number from {ge} to {le}".format_map(bounds) if bounds.keys() == _ENDS else "another value"


def _percent(error: ErrorDetails) -> str:
    """Return a hint where a share was written in percent."""
    number, limits = error["input"], error.get("ctx", {})
    is_percent = 1 in (limits.get("le"), limits.get("lt")) and 1 < number <= _PERCENT
    return f" ({number} percent is {number / _PERCENT:g})" if is_percent else ""


def _alternatives(field: FieldInfo | None) -> str:
    """Return what a field allows beside the values of its type."""
    marks = field.metadata if field is not None else []
    return "".join(f", or {mark.alternative}" for mark in marks if isinstance(mark, OrWord | OrPrecision))


def _unknown(key: Key, schema: type[BaseModel]) -> str:
    name, written = str(key[-1]), dotted(key)
    if written in _RENAMED:
        return f"unknown key; {written} is now {_RENAMED[written]}{_REWRITTEN.get(written, '')}"
    beside = list(fields(_section(key[:-1], schema)))
    if elsewhere := [known for known in known_keys(schema) if known.rpartition(".")[2] == name]:
        return f"unknown key here; did you mean {' or '.join(f'`{known}`' for known in elsewhere)}?"
    if near := difflib.get_close_matches(name, beside, n=1):
        return f"unknown key; did you mean `{near[0]}`?"
    return f"unknown key; known here are {', '.join(beside)}"


def known_keys(schema: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield every dotted key of the schema, with `[]` for the items of a list."""
    for name, info in fields(schema).items():
        listed, section = _fields_below(info.annotation)
        key = f"{above}{name}{'[]' if listed else ''}"
        yield key
        if section is not None and not _is_optional(info.annotation):  # its keys are those of the section it replaces
            yield from known_keys(section, f"{key}.")


def fields(schema: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a section by their keys in the file."""
    return {info.alias or name: info for name, info in schema.model_fields.items()}


def _fields_below(annotation: Any) -> tuple[bool, type[BaseModel] | None]:
    """Return whether a field is a list, and the section of the field or of its items, if they are sections."""
    inner = get_args(annotation)
    kind = inner[0] if inner else annotation
    is_section = isinstance(kind, type) and issubclass(kind, BaseModel)
    return bool(inner) and is_section and not _is_optional(annotation), kind if is_section else None


def _is_optional(annotation: Any) -> bool:
    """Return whether a field may be None."""
    return type(None) in get_args(annotation)


def _field(key: Key, schema: type[BaseModel]) -> FieldInfo | None:
    """Return the field of a key, or of the list that it is an item of; None for the file as a whole."""
    names = [number for number, part in enumerate(key) if isinstance(part, str)]
    return fields(_section(key[: names[-1]], schema)).get(str(key[names[-1]])) if names else None


def _section(key: Key, schema: type[BaseModel]) -> type[BaseModel]:
    """Return the innermost section of a key."""
    for part in key:
        if isinstance(part, str):
            schema = _fields_below(fields(schema)[part].annotation)[1] or schema
    return schema
