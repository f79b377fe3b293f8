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
    """A field is missing, or its value is of the wrong kind."""


def text(content: Any, key: str) -> str:
    """Return the field as a string; raises BadFieldError, as all readers here do."""
    value = _value(content, key)
    if not isinstance(value, str):
        raise BadFieldError(f"{key} is not text")
    return value


def texts(content: Any, key: str) -> tuple[str, ...]:
    """Return the field as a tuple of strings."""
    values = _value(content, key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadFieldError(f"{key} is not a list of texts")
    return tuple(values)


def digest(content: Any, key: str) -> str:
    """Return the field as a SHA-256: 64 lower-case hex digits."""
    value = text(content, key)
    if _DIGEST.fullmatch(value) is None:
        raise BadFieldError(f"{key} is not a SHA-256")
    return value


def number(content: Any, key: str) -> float:
    """Return the field as a finite number."""
    value = _value(content, key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadFieldError(f"{key} is not a number")
    return float(value)


def aware(content: Any, key: str) -> datetime:
    """Return the field, in ISO 8601, as a moment with its time zone; raises ValueError if it is no date."""
    value = datetime.fromisoformat(text(content, key))
    if value.tzinfo is None:
        raise BadFieldError(f"{key} has no time zone")
    return value


def path(content: Any, key: str) -> Path:
    """Return the field as a path; it is text, or an object with the bytes of the path in hex."""
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
    """Return the field as a relative path without `..`."""
    value = path(content, key)
    if value.is_absolute() or ".." in value.parts or not value.parts:
        raise BadFieldError(f"{key} leads out of its root")
    return value


def name(content: Any, key: str) -> str:
    """Return the field as the name of a file, without a folder."""
    value = relative(content, key)
    if len(value.parts) != 1:
        raise BadFieldError(f"{key} is not a plain name")
    return value.name


def path_out(value: Path) -> str | dict[str, str]:
    """Return a path in the form that `path` reads: text if it is UTF-8, otherwise its bytes in hex."""
    data = os.fsencode(value)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"bytes": data.hex()}


def _value(content: Any, key: str) -> Any:
    if not isinstance(content, dict) or key not in content:
        raise BadFieldError(f"{key} is missing")
    return content[key]
