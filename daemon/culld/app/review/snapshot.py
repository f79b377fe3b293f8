"""The index on the disk, so that a page that systemd starts at a request need not read the whole journal again.

It is a cache: it is used only with the journal that it was made from, and a file that cannot be read is ignored.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from culld.app.review.columns import ROW, Dictionaries
from culld.records import display_path

if TYPE_CHECKING:
    from culld.app.review.index import Index
    from culld.journal.review import ReviewReader

FORMAT: Final = 1
"""Raised with every change of the meaning of a column."""


def save_index(index: Index, journal: ReviewReader, file: Path) -> None:
    """Write the index in place of an older one; an error is ignored."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    with contextlib.suppress(OSError):
        file.parent.mkdir(0o700, parents=True, exist_ok=True)
        try:
            with part.open("xb") as stream:
                head = np.frombuffer(json.dumps(_head(index, journal)).encode(), np.uint8)
                np.savez(stream, rows=index.rows, head=head)
            part.rename(file)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def load_index(index: Index, journal: ReviewReader, file: Path) -> bool:
    """Fill an empty index from a file; return whether the file fits the journal."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            head, rows = json.loads(found["head"].tobytes()), found["rows"]
        if rows.dtype != ROW or head["format"] != FORMAT or head["marks"] != _marks(rows, journal):
            return False
        names = _names_of(head)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return False
    index.restore(rows, names, (head["first_change"], head["change"]), tuple(head["wishes"]))
    return True


def _head(index: Index, journal: ReviewReader) -> dict[str, Any]:
    names = index.names
    return {
        "format": FORMAT,
        "marks": _marks(index.rows, journal),
        "change": index.change,
        "first_change": index.first_change,
        "wishes": index.wishes,
        "folders": [[part.decode("latin-1") for part in key] for key in names.folders.keys],
        "cameras": names.cameras.keys,
        "rules": names.rules.texts,
        "policies": names.policies.texts,
        "series": list(names.series),
        "shots": list(names.shots),
    }


def _marks(rows: np.ndarray[Any, np.dtype[np.void]], journal: ReviewReader) -> list[str]:
    """Return the plans of the first and the last decision, which no other journal has."""
    return journal.plans_of([int(rows["id"][0]), int(rows["id"][-1])]) if len(rows) else []


def _names_of(head: dict[str, Any]) -> Dictionaries:
    names = Dictionaries()
    for root, parent in head["folders"]:
        key = (root.encode("latin-1"), parent.encode("latin-1"))
        names.folders.number(key, display_path(Path(os.fsdecode(key[0])) / os.fsdecode(key[1])))
    for model in head["cameras"]:
        names.cameras.number(model, model if isinstance(model, str) else "")
    for known, texts in ((names.rules, head["rules"]), (names.policies, head["policies"])):
        for text in texts:
            known.number(text, text)
    names.series.update({series: number for number, series in enumerate(head["series"], 1)})
    names.shots.update({shot: number for number, shot in enumerate(head["shots"], 1)})
    return names
