"""Readers for the fields of a record, which any program may have written."""

from __future__ import annotations

import math
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

_DIGEST = re.compile(r"[0-9a-f]{64}")


class BadFieldError(Exception):
    """A field is missing or is not what it should be."""


def text(content: Any, key: str) -> str:
    """A string."""
    value = _value(content, key)
    if not isinstance(value, str):
        raise BadFieldError(f"{key} is not text")
    return value


def texts(content: Any, key: str) -> tuple[str, ...]:
    """A list of strings."""
    values = _value(content, key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadFieldError(f"{key} is not a list of texts")
    return tuple(values)


def digest(content: Any, key: str) -> str:
    """A SHA-256 in hex."""
    value = text(content, key)
    if _DIGEST.fullmatch(value) is None:
        raise BadFieldError(f"{key} is not a SHA-256")
    return value


def number(content: Any, key: str) -> float:
    """A finite number."""
    value = _value(content, key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadFieldError(f"{key} is not a number")
    return float(value)


def aware(content: Any, key: str) -> datetime:
    """A moment with its time zone."""
    value = datetime.fromisoformat(
        text(content, key)
    )  # its ValueError is the caller's to catch, as that of the JSON is
    if value.tzinfo is None:
        raise BadFieldError(f"{key} has no time zone")
    return value


def path(content: Any, key: str) -> Path:
    """A path, given as text or by its bytes."""
    value = _value(content, key)
    if isinstance(value, dict):
        value = os.fsdecode(bytes.fromhex(text(value, "bytes")))
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadFieldError(f"{key} is not a path")
    try:
        os.fsencode(value)
    except UnicodeEncodeError as error:
        raise BadFieldError(f"{key} is not a path") from error
    return Path(value)


def relative(content: Any, key: str) -> Path:
    """A path that stays below the folder that it starts from."""
    value = path(content, key)
    if value.is_absolute() or ".." in value.parts or not value.parts:
        raise BadFieldError(f"{key} leads out of its root")
    return value


def name(content: Any, key: str) -> str:
    """The name of a file in the same folder."""
    value = relative(content, key)
    if len(value.parts) != 1:
        raise BadFieldError(f"{key} is not a plain name")
    return value.name


def path_out(value: Path) -> str | dict[str, str]:
    """A path as `path` reads it: text where it is UTF-8, its bytes in hex where not."""
    data = os.fsencode(value)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"bytes": data.hex()}


def _value(content: Any, key: str) -> Any:
    if not isinstance(content, dict) or key not in content:
        raise BadFieldError(f"{key} is missing")
    return content[key]
