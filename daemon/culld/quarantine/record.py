"""The record beside each quarantined photo: all that a restore needs when the journal is lost.

Other programs may write to its folder, so a record that is read is validated: its size and its fields, that its members
lie beside it, and that their origins are below a root.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culld.errors import CulldError
from culld.files.open_beneath import exists, names_below, open_regular
from culld.files.remove_own import RECORD_SUFFIX, remove_record
from culld.files.temp_names import name_of_aside
from culld.quarantine.json_fields import (
    BadFieldError,
    aware,
    digest,
    name,
    number,
    path,
    path_out,
    relative,
    text,
    texts,
)
from culld.records import RootedPath, Scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from culld.records import Plan

VERSION = 1
MAX_BYTES = 256 << 10
"""Larger than any record that culld writes: 16 members with paths of 4 KiB each."""
_MAX_MEMBERS = 16


class BadRecordError(CulldError):
    """A file with the name of a record does not hold a valid one."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the stack: its name beside the record, the path it came from, and its digest when it was moved."""

    name: str
    origin: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """Why a photo is in quarantine, and where it came from.

    The photo is the last member, and `judged` its digest before it was tagged. Origins are relative to `root`.
    """

    plan: str
    made_at: datetime
    root: Path
    members: tuple[Member, ...]
    judged: str
    reason: str
    keywords: tuple[str, ...]
    model: str
    policy: str
    scores: Scores | None

    @property
    def photo(self) -> Member:
        """The photo itself."""
        return self.members[-1]


def record_of(plan: Plan) -> Record:
    """Return the record of a plan that moves its photo."""
    result = plan.stack.primary.result
    return Record(
        plan=plan.id,
        made_at=plan.made_at,
        root=plan.photo.place.root,
        members=tuple(Member(move.target.relative.name, move.source.relative, move.digest) for move in plan.moves),
        judged=plan.photo.digest,
        reason=plan.reason,
        keywords=plan.keywords,
        model=plan.stack.primary.model,
        policy=plan.policy,
        scores=result if isinstance(result, Scores) else None,
    )


def to_bytes(record: Record) -> bytes:
    """Return the record as JSON; a path that is not UTF-8 is written as its bytes in hex."""
    scores = record.scores
    content = {
        "culld": VERSION,
        "plan": record.plan,
        "quarantined_at": record.made_at.astimezone(UTC).isoformat(),
        "root": path_out(record.root),
        "members": [
            {"name": path_out(Path(member.name)), "origin": path_out(member.origin), "sha256": member.digest}
            for member in record.members
        ],
        "judged_sha256": record.judged,
        "reason": record.reason,
        "keywords": list(record.keywords),
        "model": record.model,
        "policy": record.policy,
        "scores": None if scores is None else {defect.value: scores.of(defect) for defect in scores.known},
    }
    # Surrogates, which UTF-8 cannot encode, become JSON escapes.
    return json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def from_bytes(data: bytes) -> Record:
    """Return the record in these bytes; raises BadRecordError if they are not a valid record."""
    if len(data) > MAX_BYTES:
        raise BadRecordError("it is larger than any record of culld")
    try:
        content = json.loads(data)
        return _record(content)
    except (ValueError, RecursionError) as error:
        raise BadRecordError(f"it cannot be read: {error}") from error
    except BadFieldError as error:
        raise BadRecordError(str(error)) from error


def _record(content: Any) -> Record:
    if not isinstance(content, dict) or content.get("culld") != VERSION:
        raise BadFieldError(f"it is no record of version {VERSION}")
    members = content.get("members")
    if not isinstance(members, list) or not 1 <= len(members) <= _MAX_MEMBERS:
        raise BadFieldError("its members are missing")
    root = path(content, "root")
    if not root.is_absolute():
        raise BadFieldError("its root is not an absolute path")
    return Record(
        plan=text(content, "plan"),
        made_at=aware(content, "quarantined_at"),
        root=root,
        members=_members(members),
        judged=digest(content, "judged_sha256"),
        reason=text(content, "reason"),
        keywords=texts(content, "keywords"),
        model=text(content, "model"),
        policy=text(content, "policy"),
        scores=_scores(content.get("scores")),
    )


def _members(members: Iterable[Any]) -> tuple[Member, ...]:
    found = tuple(Member(name(one, "name"), relative(one, "origin"), digest(one, "sha256")) for one in members)
    if len({member.name for member in found}) < len(found) or len({member.origin for member in found}) < len(found):
        raise BadFieldError("two of its members are the same file")
    if len({member.origin.parent for member in found}) > 1:
        raise BadFieldError("its members come from different folders")
    return found


def _scores(scores: Any) -> Scores | None:
    if scores is None:
        return None
    blur, under, over = (number(scores, key) for key in ("blur", "under", "over"))
    return Scores(blur, under, over, None if scores.get("focus") is None else number(scores, "focus"))


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A record, its path, and the SHA-256 of its bytes in hex."""

    place: RootedPath
    record: Record
    digest: str

    @property
    def photo(self) -> RootedPath:
        """The path of the photo in quarantine."""
        return self.place.beside(self.record.photo.name)


def record_places(quarantine: Path) -> Iterator[RootedPath]:
    """Yield every file below the quarantine whose name is that of a record; links are not followed."""
    for found in names_below(quarantine):
        if found.name.endswith(RECORD_SUFFIX) and name_of_aside(found.name) is None:
            yield RootedPath(quarantine, found)


def read_record(place: RootedPath) -> RecordFile:
    """Read the record at a path; raises BadRecordError if the file is not a record, PhotoError if it cannot be read."""
    with open_regular(place) as stream:
        data = stream.read(MAX_BYTES + 1)
    record = from_bytes(data)
    if record.photo.name + RECORD_SUFFIX != place.relative.name:
        raise BadRecordError("it is the record of a photo of another name")
    return RecordFile(place, record, hashlib.sha256(data).hexdigest())


def remove_record_of(plan: str, place: RootedPath) -> None:
    """Remove the record at a path if it is that of this plan; any other file is kept."""
    if not exists(place):
        return
    try:
        found = read_record(place)
    except BadRecordError:
        return  # culld did not write it
    if found.record.plan == plan:
        remove_record(place, found.digest)
