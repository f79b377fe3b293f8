"""Clips in a worker: what is read of them, what is refused, and the draft of their sidecars."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="clips need the extra `video`")

from culld.app.explain_messages import ExplainSettings
from culld.app.explain_worker import ExplainWorker
from culld.app.model_files import locate_face_networks, locate_model
from culld.errors import PhotoError
from culld.explain.method import Method
from culld.imaging.formats import EXTENSIONS
from culld.inference.card import MODEL_FILE
from culld.records import (
    Assessment,
    Defect,
    FileSnapshot,
    Format,
    Photo,
    ReadFailure,
    RootedPath,
    Scores,
    Stack,
    Threshold,
    Unreadable,
    Verdict,
)
from culld.records.clips import ClipVerdict
from culld.stages.decide.decide import decide
from culld.stages.plan import Planner
from culld.stages.read.messages import ClipRequest, DraftRequest, WorkerSettings
from culld.stages.read.worker import PhotoWorker
from culld.stages.watch.scanner import Scanner
from culld.tags.draft import TagDraft
from harness import camera_clips, factories, scenes

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    b' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="4">'
    b"<dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)


@pytest.fixture(scope="module")
def worker() -> PhotoWorker:
    """A worker with the network that ships; a photo may have 1000 bytes, and take 5 seconds."""
    return PhotoWorker(WorkerSettings(locate_model(None) / MODEL_FILE, "m@1", 4_000_000, 1000, seconds=5.0))


@pytest.fixture(scope="module")
def clean() -> bytes:
    """A clip of one second."""
    picture = np.asarray(scenes.picture(scenes.Scene(4, size=(960, 720))).convert("RGB"))
    shot = camera_clips.Shot(seconds=1.0, rate=10)
    return camera_clips.encode(camera_clips.frames(picture, shot), camera_clips.Encoding(rate=10))


def request(folder: Path, data: bytes, name: str = "a.mp4", judged: frozenset[str] = frozenset()) -> ClipRequest:
    """The request for a file."""
    (folder / name).write_bytes(data)
    found = Scanner(EXTENSIONS).find(RootedPath(folder, Path(name)))
    assert found is not None
    return ClipRequest(found, judged)


def assessed(worker: PhotoWorker, asked: ClipRequest) -> Assessment:
    """The assessment of a clip."""
    found = worker.read_clip(asked)
    assert isinstance(found, Assessment)
    return found


def test_a_clip_is_judged_with_digest_and_user_metadata(worker: PhotoWorker, tmp_path: Path, clean: bytes) -> None:
    """Whatever its size: limits.file_size is for photos, which are held in memory."""
    found = assessed(worker, request(tmp_path, clean))

    assert (found.photo.format, found.photo.digest) == (Format.VIDEO, hashlib.sha256(clean).hexdigest())
    assert isinstance(found.result, Scores)
    assert found.clip is not None
    assert (found.clip.verdict, found.clip.samples, found.full_size) == (ClipVerdict.KEEP, (), (640, 360))
    assert found.user_metadata is not None
    assert found.user_metadata.own.stars == ()


def test_known_content_is_not_judged_again(worker: PhotoWorker, tmp_path: Path, clean: bytes) -> None:
    """Only its digest is taken."""
    found = worker.read_clip(request(tmp_path, clean, judged=frozenset({hashlib.sha256(clean).hexdigest()})))

    assert isinstance(found, Photo)


@pytest.mark.parametrize("data", [b"", b"not a clip", b"\0\0\0\x18ftypmp42" + bytes(12)])
def test_what_is_no_clip_is_unreadable(worker: PhotoWorker, tmp_path: Path, data: bytes) -> None:
    """It is never moved."""
    assert isinstance(assessed(worker, request(tmp_path, data)).result, Unreadable)


def test_a_clip_without_its_end_or_its_index_is_not_complete(worker: PhotoWorker, tmp_path: Path, clean: bytes) -> None:
    """The daemon reads it again later: the camera may still write."""
    index = clean.index(b"moov") - 4
    for half in (clean[: len(clean) // 2], clean[:index]):
        found = assessed(worker, request(tmp_path, half))

        assert isinstance(found.result, Unreadable)
        assert found.result.reason.startswith("not complete: the clip lacks ")


def test_a_clip_that_changes_while_it_is_read_is_read_again(worker: PhotoWorker, tmp_path: Path, clean: bytes) -> None:
    """Its stamp is compared before and after."""
    asked = request(tmp_path, clean)
    asked = replace(asked, snapshot=FileSnapshot(asked.snapshot.place, replace(asked.snapshot.stamp, mtime_ns=1)))

    found = worker.read_clip(asked)

    assert isinstance(found, ReadFailure)
    assert found.reason == "it changed while it was being read; it will be read again"


def test_a_movie_with_the_key_of_a_live_photo_is_not_decoded(worker: PhotoWorker, tmp_path: Path) -> None:
    """Whether its photo is there or not; a long clip with that key is no such movie."""
    key = b"\0\0\0\x18ftypqt  " + b"com.apple.quicktime.content.identifier"
    found = assessed(worker, request(tmp_path, key, "a.mov"))
    with (tmp_path / "long.mov").open("wb") as stream:
        stream.write(key)
        stream.truncate((64 << 20) + 1)
    snapshot = Scanner(EXTENSIONS).find(RootedPath(tmp_path, Path("long.mov")))
    assert snapshot is not None

    assert (found.is_live_movie, found.result) == (True, Scores(0.0, 0.0, 0.0))
    assert not assessed(worker, ClipRequest(snapshot)).is_live_movie


def test_the_time_of_a_clip_grows_with_its_length_and_its_size(
    worker: PhotoWorker, tmp_path: Path, clean: bytes
) -> None:
    """Four seconds for each second of it, one for 10 MB; the usual time for what cannot be opened."""
    assert worker.clip_seconds(request(tmp_path, clean)) == pytest.approx(5 + 4 * 1.0 + len(clean) / 1e7, abs=0.5)
    assert worker.clip_seconds(request(tmp_path, b"not a clip")) == 5.0
    with (tmp_path / "large.mp4").open("wb") as stream:
        size = 1 << 33
        stream.write(clean + b"\0\0\0\1free" + (size - len(clean)).to_bytes(8))
        stream.truncate(size)
    snapshot = Scanner(EXTENSIONS).find(RootedPath(tmp_path, Path("large.mp4")))
    assert snapshot is not None
    assert worker.clip_seconds(ClipRequest(snapshot)) == pytest.approx(5 + 4 + size / 1e7, rel=0.01)


def drafted(worker: PhotoWorker, asked: ClipRequest) -> TagDraft:
    """The draft for a clip that is tagged for blur."""
    found = replace(assessed(worker, asked), result=Scores(1.0, 0.0, 0.0))
    policy = replace(factories.rules(), clips=Threshold(0.5, None))
    decision = decide(Stack(found), policy, now=factories.NOON, restored=False)
    assert decision.verdict is Verdict.TAG
    drafts: list[TagDraft] = []

    def draft(requests: list[DraftRequest]) -> list[TagDraft | PhotoError]:
        answers = [worker.draft(each) for each in requests]
        drafts.extend(each for each in answers if isinstance(each, TagDraft))
        return answers

    Planner(draft, asked.snapshot.place.root / "quarantine", lambda: "").plan([decision])
    (only,) = drafts
    return only


def test_only_a_sidecar_is_written_for_a_clip(worker: PhotoWorker, tmp_path: Path, clean: bytes) -> None:
    """The clip is never changed, and no note says so."""
    found = drafted(worker, request(tmp_path, clean))

    assert [rewrite.place.relative.name for rewrite in found.rewrites] == ["a.mp4.xmp"]
    assert found.notes == ()


def test_a_new_sidecar_begins_with_the_keywords_in_the_clip(worker: PhotoWorker, tmp_path: Path, clean: bytes) -> None:
    """They may be at its end; and its rating protects it."""
    data = clean + (8 + 16 + len(XMP)).to_bytes(4) + b"uuid" + bytes(16) + XMP
    asked = request(tmp_path, data)

    found = drafted(worker, asked)

    (rewrite,) = found.rewrites
    text = b"".join(edit.inserted for edit in rewrite.edits)
    assert b"holiday" in text
    assert b"defect:blur" in text
    metadata = assessed(worker, asked).user_metadata
    assert metadata is not None
    assert [rating.stars for rating in metadata.own.stars] == [4]


def test_a_clip_of_gigabytes_is_never_in_memory(worker: PhotoWorker, tmp_path: Path, clean: bytes) -> None:
    """The draft of its sidecar reads the boxes beside the pictures; a sparse file stands for a long recording."""
    path = tmp_path / "large.mp4"
    size = 6 << 30
    with path.open("wb") as stream:
        stream.write(clean + b"\0\0\0\1mdat" + (size - len(clean)).to_bytes(8))
        stream.truncate(size)
    before = os.sysconf("SC_PAGE_SIZE") * int(Path("/proc/self/statm").read_text().split()[1])

    with path.open("rb") as stream:
        from culld.tags.clip_metadata import metadata_part  # noqa: PLC0415 (measured from here on)

        part = metadata_part(stream)

    after = os.sysconf("SC_PAGE_SIZE") * int(Path("/proc/self/statm").read_text().split()[1])
    assert len(part) < len(clean)
    assert after - before < 50 << 20


def test_a_clip_has_no_heat_map_and_is_not_read_for_one(tmp_path: Path) -> None:
    """Neither on the review page nor in `why --picture`; it may be larger than the memory."""
    explains = ExplainWorker(ExplainSettings(locate_model(None), locate_face_networks(), 4_000_000, 1 << 40))
    with (tmp_path / "large.mp4").open("wb") as stream:
        stream.write(b"\0\0\0\x18ftypmp42")
        stream.truncate(1 << 40)

    with pytest.raises(PhotoError, match="a clip has no heat map"):
        explains.map(RootedPath(tmp_path, Path("large.mp4")), Defect.BLUR, Method.HIRESCAM)
