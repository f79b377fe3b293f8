"""Tag drafts: from a decision to verified rewrites."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace

import pytest

from culld.errors import PhotoChangedError, TagRefusedError
from culld.records import Format, Rewrite, RootedPath, Scores, Verdict
from culld.tags.draft import TagDraft, TagRequest, draft
from culld.tags.edits import apply_edits
from culld.tags.keywords import encode_keywords, new_block
from culld.tags.own_properties import DecisionProperties
from harness.exif import exif_block, exif_segment, jpeg, segment
from harness.factories import NOON, place, rules

PHOTO = jpeg(exif_segment(exif_block()))
RECORD = DecisionProperties(Scores(0.98, 0.0, 0.25), rules(), Verdict.TAG, "mobilenet@1", NOON, "0.1.0")


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def request(photo: bytes = PHOTO, *, embed: bool = True) -> TagRequest:
    """Tag `a.jpg` as blurred."""
    sidecar = place("a.jpg.xmp")
    return TagRequest(place(), Format.JPEG, digest(photo), ("defect:blur",), RECORD, sidecar, embed)


def folder(photo: bytes | None = PHOTO, sidecar: bytes | None = None) -> dict[RootedPath, bytes | None]:
    """A folder with the files that `read` returns."""
    return {place(): photo, place("a.jpg.xmp"): sidecar}


def published(files: dict[RootedPath, bytes | None], rewrites: tuple[Rewrite, ...]) -> dict[RootedPath, bytes | None]:
    """The files after the rewrites, each checked against its digests."""
    done = dict(files)
    for rewrite in rewrites:
        old = files[rewrite.place]
        new = apply_edits(old or b"", rewrite.edits)
        assert (None if old is None else digest(old), digest(new)) == (rewrite.before, rewrite.after)
        done[rewrite.place] = new
    return done


def test_the_sidecar_comes_first_and_then_the_photo() -> None:
    """Both are rewritten between two digests; the sidecar is new."""
    tags = draft(request(), folder().get)

    assert [place("a.jpg.xmp"), place()] == [rewrite.place for rewrite in tags.rewrites]
    assert [None, digest(PHOTO)] == [rewrite.before for rewrite in tags.rewrites]
    assert () == tags.notes


def test_a_second_draft_finds_nothing_to_do() -> None:
    """After the rewrites the same decision changes no byte."""
    files = published(folder(), draft(request(), folder().get).rewrites)

    assert TagDraft((), ()) == draft(request(files[place()] or b""), files.get)


def test_a_refused_photo_still_gets_its_sidecar_and_a_note() -> None:
    """A motion photo is not changed; the note gives the reason."""
    movie = jpeg(trailer=b"movie")
    tags = draft(request(movie), folder(movie).get)

    assert [place("a.jpg.xmp")] == [rewrite.place for rewrite in tags.rewrites]
    assert "more bytes follow" in tags.notes[0]


def test_a_refused_sidecar_does_not_hinder_the_photo() -> None:
    """A broken sidecar stays as it is, and the photo is tagged."""
    tags = draft(request(), folder(sidecar=b"<broken").get)

    assert [place()] == [rewrite.place for rewrite in tags.rewrites]
    assert "not well-formed" in tags.notes[0]


def test_the_note_names_the_document_that_was_left_alone() -> None:
    """A broken packet inside the photo is not called the sidecar; a broken sidecar is."""
    photo = jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<broken"))
    in_photo = draft(request(photo), folder(photo, b"<x/>").get).notes

    assert in_photo[0].startswith("the sidecar was left alone: it does not hold exactly one")
    assert in_photo[1].startswith("the XMP inside the photo was left alone: it is not well-formed XML")


def test_a_refusal_crosses_the_process_border_whole() -> None:
    """The worker processes raise it, the daemon reads it."""
    refusal = pickle.loads(pickle.dumps(TagRefusedError("it is full", "the photo")))  # noqa: S301 (our own bytes)

    assert ("it is full", "the photo") == (refusal.reason, refusal.target)
    assert "the photo was left alone: it is full" == str(refusal)
    assert "it is full" == str(TagRefusedError("it is full"))


def test_without_a_place_for_it_no_sidecar_is_written() -> None:
    """The caller knows the reason and reports it."""
    tags = draft(replace(request(), sidecar=None), folder().get)

    assert [place()] == [rewrite.place for rewrite in tags.rewrites]
    assert tags.notes == ()


@pytest.mark.parametrize("format_", [Format.HEIF, Format.AVIF, Format.UNKNOWN])
def test_other_formats_are_never_changed(format_: Format) -> None:
    """Their containers are not supported."""
    tags = draft(replace(request(), format=format_), folder().get)

    assert [place("a.jpg.xmp")] == [rewrite.place for rewrite in tags.rewrites]
    assert f"{format_.value} files" in tags.notes[0]


def test_embedding_can_be_switched_off() -> None:
    """Then the photo keeps its bytes, and that is no refusal."""
    tags = draft(request(embed=False), folder().get)

    assert [place("a.jpg.xmp")] == [rewrite.place for rewrite in tags.rewrites]
    assert () == tags.notes


def test_without_keywords_nothing_is_written() -> None:
    """Neither into the photo nor beside it."""
    assert TagDraft((), ()) == draft(replace(request(), keywords=()), folder().get)


def test_earlier_tags_are_removed_when_they_no_longer_apply() -> None:
    """In the sidecar and in the photo, and culld's properties hold the new scores."""
    files = published(folder(), draft(request(), folder().get).rewrites)
    record = replace(RECORD, scores=Scores(0.02, 0.0, 0.25), verdict=Verdict.KEEP)
    again = replace(request(files[place()] or b""), keywords=(), record=record)

    files = published(files, draft(again, files.get).rewrites)

    sidecar = files[place("a.jpg.xmp")] or b""
    assert b"defect:blur" not in sidecar
    assert b'Blur="0.0200"' in sidecar
    assert "defect:blur".encode("utf-16-le") not in (files[place()] or b"")
    assert b"defect:blur" not in (files[place()] or b"")


def test_earlier_tags_of_a_photo_without_a_sidecar_are_removed_when_it_is_known_to_be_tagged() -> None:
    """No sidecar is made for that; without that knowledge the photo is not even read."""
    tagged = published(folder(), draft(replace(request(), sidecar=None), folder().get).rewrites)[place()]
    assert tagged is not None
    free = replace(request(tagged), keywords=(), tagged=True)
    tags = draft(free, folder(tagged).get)

    assert [place()] == [rewrite.place for rewrite in tags.rewrites]
    clean = published(folder(tagged), tags.rewrites)[place()]
    assert clean is not None
    assert b"defect" not in clean
    assert TagDraft((), ()) == draft(replace(free, digest=digest(clean)), folder(clean).get)
    assert TagDraft((), ()) == draft(replace(free, tagged=False), {place("a.jpg.xmp"): None}.__getitem__)
    assert TagDraft((), ()) == draft(replace(free, embed=False), {place("a.jpg.xmp"): None}.__getitem__)


@pytest.mark.parametrize("found", [None, PHOTO + b"x"])
def test_a_photo_that_changed_since_it_was_judged_is_not_tagged(found: bytes | None) -> None:
    """The decision was about other bytes."""
    with pytest.raises(PhotoChangedError, match="judged again"):
        draft(request(), folder(found).get)


def test_a_block_that_does_not_read_back_is_never_published() -> None:
    """Every edit is verified before it is written, even when a builder of EXIF blocks is wrong."""
    plain = jpeg()
    tags = draft(request(plain), folder(plain).get, lambda _: new_block(encode_keywords(("something else",))))

    assert [place("a.jpg.xmp")] == [rewrite.place for rewrite in tags.rewrites]
    assert "verification failed" in tags.notes[0]


def test_requests_and_drafts_cross_process_borders() -> None:
    """A worker process serves them."""
    wanted = pickle.loads(pickle.dumps(request()))  # noqa: S301 (our own bytes)
    tags = draft(wanted, folder().get)

    assert tags == pickle.loads(pickle.dumps(tags))  # noqa: S301
