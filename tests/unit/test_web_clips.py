"""Clips on the review page: a still frame for a picture, their own thresholds, and no part in simulations."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.app.copies.asking import Asking
from culld.errors import PhotoBlockedError, PhotoError
from culld.journal.review import ReviewReader
from culld.records import CopyPolicy, RootedPath, Stack, Verdict
from culld.web.pictures import PictureWorker
from harness import fakes
from harness.judged_clips import clip
from harness.review_library import API, Library

CLIPS = "policy: {mode: enforce, enhance: rejects, clips: {tag: 0.5, reject: 0.8}}\n"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A photo, and a clip that was moved for its blur."""
    library = Library(tmp_path)
    (tmp_path / "c.yaml").write_text(f"watch: [{{path: photos}}]\nquarantine: q\nstate: state\n{CLIPS}")
    library.add(Verdict.TAG)
    found = clip(blur=0.9)
    place = RootedPath(tmp_path / "photos", Path("a.mov"))
    stack = Stack(replace(found, photo=replace(found.photo, place=place)))
    library.add(Verdict.QUARANTINE, name="a.mov", stack=stack, rule="policy.clips.reject")
    return library


def test_the_facts_of_a_clip_have_its_judgement_and_its_thresholds(library: Library) -> None:
    """Those of photos stay the thresholds of the page."""
    with library.client() as client:
        facts = client.get(f"{API}/photos/2").json()
        settings = client.get(f"{API}/session").json()["settings"]

    assert (facts["name"], facts["verdict"], facts["facts"]["format"]) == ("a.mov", "quarantine", "video")
    assert facts["clip"]["sentence"] == "blurred 50 % of 10.0 s"
    assert facts["thresholds"]["over"] == {"tag": 0.5, "reject": 0.8}
    assert "policy.clips.reject" in facts["would_change"][0]
    assert settings["thresholds"]["blur"]["reject"] == 0.97


def test_other_thresholds_of_photos_change_no_clip(library: Library) -> None:
    """The share of a clip's time is no probability: the index has none for it."""
    request = {"defects": {"blur": {"tag": 0.1, "reject": 0.2}}, "ids": True}
    with library.client() as client:
        found = client.post(f"{API}/simulate", json=request).json()
        shown = client.get(f"{API}/index").json()

    assert shown["total"] == 2
    assert (found["now"], found["ids"]["move"]) == ({"kept": 0, "tagged": 1, "rejected": 0}, [1])


def test_a_clip_is_in_the_report_under_its_own_name(library: Library) -> None:
    """As in `culld report`: it is no reject by a defect of photos, and none by a rule."""
    with library.client() as client:
        found = client.get(f"{API}/report").json()["rates"]["defect"]

    assert [(group["name"], group["rejected"]) for group in found] == [("clips", 1)]


def test_no_copy_is_made_of_a_clip(library: Library) -> None:
    """Neither of a rejected one nor because a person asks."""
    with library.journal() as journal:
        journal.ask_for_rejected({"policy-1"}, 0)
        decision = journal.decision(2)
        assert decision is not None
        assert [journal.copy_of(number) for number in (1, 2)] == [None, None]
        with pytest.raises(PhotoBlockedError, match="A clip is not repaired"):
            Asking(AskedBuilder(journal, library)).ask(2, decision)  # type: ignore[arg-type]


class AskedBuilder:
    """The part of a builder that asking uses."""

    def __init__(self, journal: object, library: Library) -> None:
        """Watch the photos, with a policy that makes copies."""
        self.journal = journal
        self.config = library.site().config
        self.policies = self

    def of(self, _root: Path) -> object:
        """The policy of every folder."""
        return type("Policy", (), {"enhance": CopyPolicy.REJECTS})


def test_a_clip_has_a_frame_for_a_picture_also_beyond_the_size_of_photos(tmp_path: Path) -> None:
    """Upright, in all sizes and in parts; one that is not complete is refused in words."""
    pytest.importorskip("av", reason="clips need the extra `video`")
    from harness import camera_clips  # noqa: PLC0415 (it imports PyAV)

    picture = np.full((480, 640, 3), (200, 90, 30), np.uint8)
    black, shot = np.zeros((180, 320, 3), np.uint8), camera_clips.Shot(seconds=0.5, rate=10, size=(320, 180), noise=0)
    frames = [*[black] * 10, *camera_clips.frames(picture, shot)]
    data = camera_clips.encode(frames, camera_clips.Encoding(rate=10, rotation=90))
    (tmp_path / "a.mp4").write_bytes(data)
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
    worker = PictureWorker(pixels=4_000_000, file_size=100)

    made = worker.sizes(RootedPath(tmp_path, Path("a.mp4")), (160, 80))
    part = worker.crop(RootedPath(tmp_path, Path("a.mp4")), (0, 0, 50, 60))
    refused = worker.sizes(RootedPath(tmp_path, Path("half.mp4")), (160,))

    assert isinstance(made, list)
    assert isinstance(part, list)
    stills = [Image.open(io.BytesIO(each)) for each in [*made, *part]]
    assert [still.size for still in stills] == [(90, 160), (45, 80), (50, 60)]
    assert np.asarray(stills[0]).mean() > 60  # not the black beginning
    assert isinstance(refused, PhotoError)
    assert "not complete" in str(refused)


def test_the_reader_of_the_page_has_the_clip(library: Library) -> None:
    """With what was judged of it."""
    with ReviewReader.open(library.state / "journal.sqlite3", fakes.FakeClock()) as reader:
        found = reader.numbered([2])[2].stack.primary

    assert found.clip is not None
    assert found.clip.good == (5.0, 10.0)
