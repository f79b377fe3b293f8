"""What is wrong with a configuration, one line for each thing: where, which key, what, and what is allowed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel

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
"""Keys that earlier versions knew, and their names of today."""

_REWRITTEN: Final = {"limits.seconds": ", written as a duration such as 60s"}
"""What else changed with the name of a key."""

Key = tuple[str | int, ...]
"""The way to a value: the names of its sections and the numbers of its list items."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, on a line counted from 1; an empty key means the file as a whole."""

    line: int
    key: Key
    text: str

    def as_text(self, file: Path) -> str:
        """As `file:line: dotted.key: what is wrong; what is allowed`."""
        where = f"{display_path(file)}:{self.line}: "
        return where + (f"{dotted(self.key)}: " if self.key else "") + self.text


def dotted(key: Key) -> str:
    """`watch[0].path` for `("watch", 0, "path")`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def problems_of(error: ErrorDetails, schema: type[BaseModel]) -> str:
    """What a schema error means to the person who wrote the file."""
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown(error["loc"], schema)
    if kind == "missing":
        return f"`{error['loc'][-1]}` is missing; it has no default"
    if kind == "tuple_type":
        item = {"watch": "`- path: FOLDER` for each folder"}.get(str(error["loc"][-1]), "`- name: ...` for each")
        return f"{format_value(error['input'])} is not a list; write one {item}"
    if kind in {"model_type", "model_attributes_type"}:
        section = _section(error["loc"], schema)
        return (
            f"{format_value(error['input'])} stands where a section belongs; its keys are {', '.join(fields(section))}"
        )
    return str(error.get("ctx", {}).get("error", error["msg"]))


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
    """Every dotted key of the schema, `[]` standing for a list's items."""
    for name, info in fields(schema).items():
        listed, section = _fields_below(info.annotation)
        key = f"{above}{name}{'[]' if listed else ''}"
        yield key
        if section is not None:
            yield from known_keys(section, f"{key}.")


def fields(schema: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a section by the names that the file has for them."""
    return {info.alias or name: info for name, info in schema.model_fields.items()}


def _fields_below(annotation: Any) -> tuple[bool, type[BaseModel] | None]:
    """Whether a field is a list, and the section that it or its items are."""
    inner = get_args(annotation)
    kind = inner[0] if inner else annotation
    is_section = isinstance(kind, type) and issubclass(kind, BaseModel)
    return bool(inner) and is_section, kind if is_section else None


def _section(key: Key, schema: type[BaseModel]) -> type[BaseModel]:
    """The section that a key leads to."""
    for part in key:
        if isinstance(part, str):
            schema = _fields_below(fields(schema)[part].annotation)[1] or schema
    return schema
