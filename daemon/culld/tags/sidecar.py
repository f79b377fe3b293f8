"""The edits that add keywords and the decision to an XMP sidecar, by insertion only; nothing is re-serialised.

Other programs' values, their order and their layout stay byte for byte; only values in culld's own namespace are
replaced. Programs read keywords from `dc:subject`; where a sidecar has a hierarchical list as well (Lightroom's, which
darktable prefers; digiKam's, which Immich prefers), the keyword is added there too, in the same spelling and on one
level, as darktable does: two spellings would be two tags.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from culld.records import Edit
from culld.tags import own_properties, reject_flags
from culld.tags.descriptive import DC
from culld.tags.edits import apply_edits
from culld.tags.keywords import check_keywords, in_hierarchy, missing_keywords
from culld.tags.own_properties import own_keywords, update_edits, with_own_keywords
from culld.tags.xmp import RDF, SIDECAR, layout_before, read_xmp, removal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from culld.records import RejectFlag
    from culld.tags.own_properties import DecisionProperties
    from culld.tags.reject_flags import FlagProperty
    from culld.tags.xmp import Document, Element

NEW: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    b' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n </rdf:RDF>\n</x:xmpmeta>\n'
)


@dataclass(frozen=True, slots=True)
class KeywordList:
    """A property that holds keywords; `separator` stands between the levels of a keyword (None: they are flat)."""

    namespace: str
    local: str
    container: str
    separator: str | None

    def spelled(self, keywords: Iterable[str]) -> tuple[str, ...]:
        """The keywords as culld's first versions wrote them into this list: with levels, where it has levels."""
        return tuple(
            keyword if self.separator is None else in_hierarchy(keyword, self.separator) for keyword in keywords
        )

    def outdated(self, own: Iterable[str], present: Collection[str]) -> frozenset[str]:
        """The spellings with levels of culld's keywords, but for those whose flat spelling is present as well."""
        return (
            frozenset(self.spelled(keyword for keyword in own if keyword not in present))
            if self.separator
            else frozenset()
        )


SUBJECT = KeywordList(DC, "subject", "Bag", None)
KEYWORD_LISTS = (
    SUBJECT,
    KeywordList("http://ns.adobe.com/lightroom/1.0/", "hierarchicalSubject", "Bag", "|"),
    KeywordList("http://www.digikam.org/ns/1.0/", "TagsList", "Seq", "/"),
)


def sidecar_edits(
    old: bytes | None,
    keywords: Sequence[str],
    record: DecisionProperties,
    flags: Sequence[RejectFlag] = (),
    seed: bytes = NEW,
) -> tuple[Edit, ...]:
    """The edits that bring `keywords`, `record` and reject flags into a sidecar; none where all are there already.

    `old` is None for a sidecar that does not exist yet: the one edit is then the whole document, which begins with
    `seed`. Keywords of culld that are not among `keywords` are removed. Raises TagRefusedError where the sidecar cannot
    be changed without risk.
    """
    if old is None:
        return (Edit(0, b"", apply_edits(seed, merge(seed, keywords, record.properties(), flags=flags))),)
    return merge(old, keywords, record.properties(), flags=flags)


def merge(
    data: bytes,
    keywords: Sequence[str],
    properties: Mapping[str, str],
    existing: Sequence[str] = (),
    flags: Sequence[RejectFlag] = (),
    target: str = SIDECAR,
) -> tuple[Edit, ...]:
    """The edits, in ascending order, that bring keywords and properties of culld into an XMP document.

    `existing` keywords of the photo (in IPTC, XPKeywords) are not culld's; a new `dc:subject` begins with them, because
    programs that find one look no further.
    """
    check_keywords(keywords)
    keywords = tuple(dict.fromkeys(keywords))
    document = read_xmp(data, target)
    present = listed_keywords(document, SUBJECT)
    if own := reject_flags.flags_after(document, flags) or reject_flags.own_flags(document):
        properties = {**properties, reject_flags.OWN: ";".join(flag for flag in own if flag in flags)}
    values = with_own_keywords(document, properties, keywords, (*(present or ()), *existing))
    edits = [edit for keyword_list in KEYWORD_LISTS for edit in _list_edits(document, keyword_list, keywords)]
    edits += reject_flags.removal_edits(document, flags)
    changed, absent = update_edits(document, values)
    edits += changed
    subject = _new_subject(document, keywords, existing) if present is None and keywords else ()
    flag_fields = [reject_flags.FLAG_PROPERTIES[flag] for flag in reject_flags.missing_flags(document, flags)]
    if subject or absent or flag_fields:
        edits.append(_description(document, subject, absent, flag_fields))
    return tuple(sorted(edits, key=lambda edit: edit.offset))


def _new_subject(document: Document, keywords: Sequence[str], existing: Sequence[str]) -> tuple[str, ...]:
    """The items of a new `dc:subject`, as XML."""
    own = own_keywords(document)
    first = [keyword for keyword in existing if keyword not in own]
    missing = missing_keywords(keywords, first)
    return (*(escape(keyword) for keyword in first), *(_safe(document, keyword) for keyword in missing))


def listed_keywords(document: Document, keyword_list: KeywordList) -> tuple[str, ...] | None:
    """The keywords in one list, or None where the document has no such list."""
    items = _items(document, keyword_list)
    return None if items is None else tuple(item.text for item in items.children)


def _list_edits(document: Document, keyword_list: KeywordList, keywords: Sequence[str]) -> Iterator[Edit]:
    """The edits of an existing list: removed keywords go, missing ones are added at its end in its layout."""
    items = _items(document, keyword_list)
    if items is None:
        return
    present, own = {item.text for item in items.children}, own_keywords(document)
    removed = {keyword for keyword in own if keyword not in keywords} | keyword_list.outdated(own, present)
    for item in items.children:
        if item.text in removed:
            yield removal(document.data, item)
    missing = missing_keywords(keywords, present)
    if missing:
        yield _appended(document, items, [_safe(document, keyword) for keyword in missing])


def added_keywords(document: Document, keyword_list: KeywordList, missing: Sequence[str]) -> Iterator[Edit]:
    """The edit that adds keywords of other programs, as they are, to a list that exists."""
    items = _items(document, keyword_list)
    if items is not None and missing:
        yield _appended(document, items, [escape(keyword) for keyword in missing])


def _appended(document: Document, items: Element, escaped: Sequence[str]) -> Edit:
    """New items at the end of a list, in its layout."""
    last = items.children[-1] if items.children else None
    lead = layout_before(document.data, last) if last else b""
    tag = items.written("li")
    new = b"".join(lead + f"<{tag}>{keyword}</{tag}>".encode() for keyword in escaped)
    return Edit(last.end if last else items.closing, b"", new)


def _items(document: Document, keyword_list: KeywordList) -> Element | None:
    """The rdf:Bag or rdf:Seq of a keyword list, None where there is none; one of unusual shape is refused."""
    name = (keyword_list.namespace, keyword_list.local)
    found = document.named(*name)
    if not found and not any(name in description.attributes for description in document.descriptions):
        return None
    if len(found) != 1 or len(found[0].children) != 1 or any(name in d.attributes for d in document.descriptions):
        document.refuse(f"its keyword list {keyword_list.local} is written twice or in an unusual way")
    items = found[0].children[0]
    plain = all(item.name == (RDF, "li") and not item.children for item in items.children)
    if items.name != (RDF, keyword_list.container) or not items.is_open or not plain:
        document.refuse(f"its keyword list {keyword_list.local} is not an open list of plain words")
    return items


def _description(
    document: Document, subject: Sequence[str], properties: Mapping[str, str], flag_fields: Sequence[FlagProperty]
) -> Edit:
    """A new description with the values that have no place yet, behind the last one and in its layout.

    The items of `subject` are XML already. The description declares every prefix that may be missing where it stands.
    """
    last = document.descriptions[-1] if document.descriptions else None
    lead = (layout_before(document.data, last) if last else b"\n  ").decode()
    step = lead + " " if "\n" in lead else ""
    head = [f'<rdf:Description rdf:about="{_safe(document, document.about)}"']
    head += [f'xmlns:rdf="{RDF}"'] if document.rdf.prefix != "rdf" else []
    if properties:
        head += [f'xmlns:{own_properties.PREFIX}="{own_properties.NAMESPACE}"']
        head += [f'{own_properties.PREFIX}:{name}="{_safe(document, value)}"' for name, value in properties.items()]
    head += sorted({f'xmlns:{field.prefix}="{field.namespace}"' for field in flag_fields})
    head += [f'{field.prefix}:{field.local}="{_safe(document, field.value)}"' for field in flag_fields]
    lines = [f'<dc:subject xmlns:dc="{DC}">', " <rdf:Bag>"]
    lines += [f"  <rdf:li>{keyword}</rdf:li>" for keyword in subject]
    lines += [" </rdf:Bag>", "</dc:subject>"]
    opening = f"{step} " if step else " "
    text = opening.join(head) + ("/>" if not subject else ">" + "".join(step + line for line in lines))
    text += f"{lead}</rdf:Description>" if subject else ""
    return Edit(last.end if last else document.rdf.opened, b"", (lead + text).encode())


def _safe(document: Document, text: str) -> str:
    """Text as XML; refused where it holds characters that XML cannot or should not carry."""
    if not text.isprintable():
        document.refuse(f"{text!r} cannot be written as XML")
    return escape(text)
