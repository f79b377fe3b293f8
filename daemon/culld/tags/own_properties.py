"""The properties in culld's own namespace: found wherever other programs moved them, and replaced in place.

They hold the decision about a photo: scores, thresholds, network. Every program tried keeps them and none shows them,
so they last where a program drops foreign keywords when it saves (darktable does).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC
from html import escape
from itertools import chain
from typing import TYPE_CHECKING

from culld.records import Defect, Edit
from culld.tags.xmp import written_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from culld.records import Policy, Scores, Subject, Verdict
    from culld.tags.xmp import Document, Element

_OWN_KEYWORDS = "Keywords"


def own_keywords(document: Document) -> tuple[str, ...]:
    """The keywords in a document that culld wrote, by its own list."""
    return tuple(filter(None, own_properties(document).get(_OWN_KEYWORDS, "").split(";")))


def with_own_keywords(
    document: Document, properties: Mapping[str, str], keywords: Sequence[str], present: Sequence[str]
) -> Mapping[str, str]:
    """The properties of culld, and among them the list of its own keywords: a user's keywords are never withdrawn.

    `present` are the keywords in the document; those that culld did not write belong to the user or another program.
    """
    before = own_keywords(document)
    own = [word for word in keywords if word in before or word not in present]
    wanted = {**properties, _OWN_KEYWORDS: ";".join(own)}
    for name, value in wanted.items():
        if not value.isprintable():
            document.refuse(f"{name} {value!r} cannot be written as XML")
    return wanted


def own_properties(document: Document) -> Mapping[str, str]:
    """The values of culld's properties in a document, by name, written as attributes or as elements."""
    return {name: value for name, value, _ in _found(document)}


def update_edits(document: Document, wanted: Mapping[str, str]) -> tuple[list[Edit], Mapping[str, str]]:
    """The edits that replace values of culld where they stand, and the values that have no place yet.

    There are no edits where only the time differs.
    """
    found = {name: (value, slot) for name, value, slot in _found(document)}
    differing = [name for name in wanted if name in found and found[name][0] != wanted[name]]
    absent = {name: value for name, value in wanted.items() if name not in found}
    if differing == [TIME] and not absent:
        return [], {}
    return [found[name][1].filled(wanted[name]) for name in differing], absent


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a value stands: the bytes to remove, and the text before and after the new value."""

    offset: int
    removed: bytes
    before: str = ""
    after: str = ""

    def filled(self, value: str) -> Edit:
        """The edit that puts `value` there."""
        return Edit(self.offset, self.removed, f"{self.before}{escape(value)}{self.after}".encode())


def _found(document: Document) -> Iterator[tuple[str, str, _Slot]]:
    """Name, value and slot of each property of culld; one that occurs twice is refused."""
    seen: set[str] = set()
    for description in document.descriptions:
        for name, value, slot in chain(_attributes(document.data, description), _elements(document, description)):
            if name in seen:
                document.refuse(f"it holds culld's {name} twice")
            seen.add(name)
            yield name, value, slot


def _attributes(data: bytes, description: Element) -> Iterator[tuple[str, str, _Slot]]:
    """The properties of culld that are attributes of a description."""
    for name, match in written_attributes(data, description):
        if name is not None and name[0] == NAMESPACE:
            yield name[1], description.attributes[name], _Slot(match.start(2), match[2], '"', '"')


def _elements(document: Document, description: Element) -> Iterator[tuple[str, str, _Slot]]:
    """The properties of culld that are elements in a description."""
    for element in description.children:
        uri, local = element.name
        if uri != NAMESPACE:
            continue
        if element.children:
            document.refuse(f"culld's {local} in it is no simple value")
        if element.is_open:
            yield local, element.text, _Slot(element.opened, document.data[element.opened : element.closing])
        else:
            yield local, "", _Slot(element.opened - 2, b"/>", ">", f"</{element.written(local)}>")


NAMESPACE = "https://culld.example/ns/1.0/"
"""The namespace of culld's properties; `.example` is reserved (RFC 2606), so it never becomes a real site."""

PREFIX = "culld"

PARENT, PARENT_DIGEST, REPAIR, REPAIR_MODEL = "Parent", "ParentSha256", "Repair", "RepairModel"
"""The properties of a repaired copy: name and SHA-256 of its photo, what was repaired, and the network that did it."""

TIME = "Time"
"""The property with the time of the decision; a sidecar is not rewritten for this property alone."""


@dataclass(frozen=True, slots=True)
class DecisionProperties:
    """One decision: `rules` holds the thresholds and the policy's hash, `made_at` is a time with a zone."""

    scores: Scores
    rules: Policy
    verdict: Verdict
    model: str
    made_at: datetime
    version: str
    subject: Subject | None = None

    def properties(self) -> Mapping[str, str]:
        """The properties as simple XMP values: probabilities with four decimals, the time as ISO 8601 in UTC."""
        return {
            **{defect.value.title(): f"{self.scores.of(defect):.4f}" for defect in self.scores.known},
            **{f"{defect.value.title()}Tag": _spelled(self.rules.of(defect).tag) for defect in self.scores.known},
            **{f"{defect.value.title()}Reject": self._reject(defect) for defect in self.scores.known},
            **self._of_subject(),
            "Mode": self.rules.mode.value,
            "Verdict": self.verdict.value,
            "Model": self.model,
            "Policy": self.rules.digest,
            TIME: self.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Version": self.version,
        }

    def _of_subject(self) -> Mapping[str, str]:
        """The number of faces and the sharpness; only where there is a face, and where the sharpness was measured."""
        subject = self.subject
        faces = {"Faces": str(len(subject.faces))} if subject is not None and subject.faces else {}
        if subject is None or subject.sharpness is None:
            return faces
        return {**faces, "Sharpness": f"{subject.sharpness:.4f}"}

    def _reject(self, defect: Defect) -> str:
        """The reject threshold as the policy file spells it."""
        return _spelled(self.rules.of(defect).reject)


def _spelled(threshold: float | None) -> str:
    """A threshold as the policy file spells it; an infinite one is that of clips where they are not judged."""
    return "never" if threshold is None or math.isinf(threshold) else f"{threshold:g}"
