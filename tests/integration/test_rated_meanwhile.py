"""The user rates or edits a photo while culld decides about it: the photo stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from culld.app.once import OnePass
from culld.app.once_counts import Counts
from culld.clock import SystemClock
from culld.config import load_config
from culld.imaging.image_file import DecodeLimits
from culld.journal.store import SqliteJournal
from culld.records import Assessment, FileSnapshot, FileStat, RootedPath, Verdict
from culld.stages.read import DraftRequest, ReadRequest, UserMetadataRequest, WorkerSettings
from culld.stages.read.assess import Scorer
from culld.stages.read.worker import PhotoWorker
from harness import factories, fakes

POLICY = """\
watch: [{path: inbox}]
quarantine: quarantine
state: state
settle: {quiet: 100ms}
policy: {mode: enforce, brake: {max_share: never}}
"""
RATED = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""
UNRATED = RATED.replace(b'"4"', b'"0"')
COMMENT = b'<?xml version="1.0" encoding="UTF-8"?><comment version="3.0"><rating value="3"/></comment>'
Act = Callable[[Path], None]


def nothing(_inbox: Path) -> None:
    """Do nothing."""


def write(name: str, data: bytes) -> Act:
    """Write a file, by its path from the inbox."""

    def act(inbox: Path) -> None:
        (inbox / name).parent.mkdir(exist_ok=True)
        (inbox / name).write_bytes(data)

    return act


def rate_in_kde(inbox: Path) -> None:
    """Set the attribute that Dolphin sets."""
    try:
        os.setxattr(inbox / "a.jpg", "user.baloo.rating", b"8")
    except OSError as error:
        pytest.skip(f"this file system keeps no extended attributes: {error}")


class Worker(PhotoWorker):
    """A worker that runs an action of the user right before its first draft, and counts its requests."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        """Nothing to load."""
        self._settings = WorkerSettings(Path(), "blurry@1", 10**8, 10**8)
        self._limits = DecodeLimits()
        self._scorer = Scorer(fakes.ConstantNetwork(blur=0.99))
        self._act = act
        self.asked: list[str] = []

    def read(self, request: ReadRequest) -> object:  # type: ignore[override]
        """As it is."""
        self.asked.append("read")
        return super().read(request)

    def draft(self, request: DraftRequest) -> object:  # type: ignore[override]
        """As it is by now."""
        self.asked.append("draft")
        act, self._act = self._act, lambda: None
        act()
        return super().draft(request)


def passed(folder: Path, worker: Worker) -> Counts:
    """Run `culld once`."""
    config = load_config(folder / "culld.yaml", {})
    with SqliteJournal.open(folder / "state" / "journal.sqlite3", SystemClock()) as journal:
        return OnePass(config, journal, fakes.FakePool(worker)).process([], lambda _: None)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A watched folder with a blurred photo."""
    for name in ("inbox", "state", "quarantine"):
        (tmp_path / name).mkdir()
    (tmp_path / "culld.yaml").write_text(POLICY)
    (tmp_path / "inbox" / "a.jpg").write_bytes(factories.encoded(factories.picture(1, size=(640, 480))))
    return tmp_path


ACTS: dict[str, tuple[Act, Act]] = {
    "a new sidecar": (nothing, write("a.jpg.xmp", RATED)),
    "a new sidecar in the style of Adobe": (nothing, write("a.xmp", RATED)),
    "a sidecar that is changed": (write("a.jpg.xmp", UNRATED), write("a.jpg.xmp", RATED)),
    "a sidecar in capitals that is changed": (write("A.JPG.XMP", UNRATED), write("A.JPG.XMP", RATED)),
    "the attribute of KDE": (nothing, rate_in_kde),
    "a comment of gThumb": (nothing, write(".comments/a.jpg.xml", COMMENT)),
    "an edit in NX Studio": (nothing, write("NKSC_PARAM/a.jpg.nksc", b"")),
}


@pytest.mark.parametrize("name", ACTS)
def test_user_metadata_added_between_decision_and_plan_protects_the_photo(folder: Path, name: str) -> None:
    """It is neither moved nor tagged, and then judged again with the new user metadata."""
    before, meanwhile = ACTS[name]
    before(folder / "inbox")
    photo = folder / "inbox" / "a.jpg"
    bytes_before = photo.read_bytes()

    counts = passed(folder, Worker(lambda: meanwhile(folder / "inbox")))

    assert list(counts.failures.values()) == [
        "its ratings or edits changed after it was judged; it will be judged again"
    ]
    assert photo.read_bytes() == bytes_before
    os.utime(photo)  # now, instead of in a minute
    counts = passed(folder, Worker())
    assert counts.failures == {}
    assert counts.verdicts[Verdict.TAG] == 1
    assert photo.exists()


def test_a_rating_of_one_photo_of_a_shot_keeps_all_of_them(folder: Path) -> None:
    """They are moved together or stay: the sidecar of a RAW, for example, applies to the shot."""
    photo = folder / "inbox" / "a.jpg"
    for name in ("IMG_0001.jpg", "IMG_E0001.jpg"):
        (folder / "inbox" / name).write_bytes(photo.read_bytes() + name.encode())
    photo.unlink()
    (folder / "inbox" / "IMG_0001.jpg.xmp").write_bytes(RATED)

    counts = passed(folder, Worker())

    assert (counts.verdicts[Verdict.TAG], counts.verdicts[Verdict.QUARANTINE], counts.failures) == (2, 0, {})


@pytest.mark.parametrize("sidecar", [None, "a.jpg.xmp", "a.xmp"])
def test_a_photo_that_is_moved_takes_two_requests(folder: Path, sidecar: str | None) -> None:
    """Its user metadata is read with its scores."""
    if sidecar is not None:
        (folder / "inbox" / sidecar).write_bytes(UNRATED)
    worker = Worker()

    counts = passed(folder, worker)

    assert counts.verdicts[Verdict.QUARANTINE] == 1
    assert worker.asked == ["read", "draft"]


def test_a_folder_in_the_place_of_a_sidecar_is_no_change(folder: Path) -> None:
    """It lay there when the photo was decided about."""
    (folder / "inbox" / "a.jpg.xmp").mkdir()

    assert passed(folder, Worker()).verdicts[Verdict.QUARANTINE] == 1


@pytest.mark.parametrize("name", ["a new sidecar", "the attribute of KDE", "a comment of gThumb"])
def test_what_is_read_with_the_scores_is_what_is_read_later(folder: Path, name: str) -> None:
    """The same fields, in the same order."""
    ACTS[name][1](folder / "inbox")
    place = RootedPath(folder / "inbox", Path("a.jpg"))
    found = Worker().read(ReadRequest(FileSnapshot(place, FileStat.of(place.path.lstat()))))
    sidecars = tuple(each for each in [place.beside("a.jpg.xmp")] if each.path.exists())

    assert isinstance(found, Assessment)
    assert found.user_metadata is not None
    later = Worker().user_metadata(UserMetadataRequest((found.photo,), sidecars))
    assert later == (found.user_metadata.sidecars[0][1] if sidecars else found.user_metadata.own)
