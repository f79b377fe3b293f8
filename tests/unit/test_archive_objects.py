"""Object storage without a server: URIs, the words for errors, copies, listings that are too old."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from culld.archive.objects.arrow import Stores
from culld.archive.objects.copies import Allowance, Copier, Copy
from culld.archive.objects.errors import ObjectError, ObjectGoneError, StorageError, TransientError, explained
from culld.archive.objects.folders import ObjectFolders
from culld.archive.objects.scratch import remove_left_copies, scratch_folder
from culld.archive.objects.store import Kind, PatientStore, StoredObject
from culld.archive.objects.uri import is_object, object_uri, shown, stored_bytes, stored_place, uri_of
from culld.archive.scoring.source import SLICE_BYTES, ObjectSource
from culld.archive.scoring.uris import require_outside, resolved
from culld.errors import ConfigError, SystemFaultError
from culld.records import RootedPath

BUCKET = Path("s3://bucket")


@dataclass
class FakeStore:
    """A storage in memory: sizes by bucket and key. Those in `never` do not come until `released` is set."""

    sizes: dict[str, int]
    never: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)
    listings: int = 0
    failures: list[ObjectError] = field(default_factory=list)

    def kind(self, path: str) -> Kind:
        """Return what is there."""
        return Kind.OBJECT if path in self.sizes else Kind.NOTHING

    def inside(self, path: str) -> list[StoredObject]:
        """Return the objects of a folder."""
        self.listings += 1
        if self.failures:
            raise self.failures.pop()
        return [self._object(each) for each in self.sizes if each.rpartition("/")[0] == path]

    def below(self, path: str) -> tuple[list[StoredObject], list[str]]:
        """Return the objects of a folder that has none in it."""
        return self.inside(path), []

    def fetch(self, path: str, to: Path, most: int) -> StoredObject:
        """Write zeros."""
        if path in self.never:
            self.released.wait()
        to.write_bytes(bytes(min(self.sizes[path], 10)))
        return self._object(path)

    def _object(self, path: str) -> StoredObject:
        return StoredObject.of(path, self.sizes[path], 7)


def place(key: str) -> RootedPath:
    """The place of an object."""
    return RootedPath(BUCKET, Path(key))


def folders_of(store: FakeStore, clock: Callable[[], float] = lambda: 0.0) -> ObjectFolders:
    """The folders of a storage."""
    return ObjectFolders(Stores(lambda _: store), clock)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("s3://bucket", "s3://bucket"),
        ("S3://bucket/2019/", "s3://bucket/2019"),
        ("gs://my_bucket/a b%20+[1]/ä.jpg", "gs://my_bucket/a b%20+[1]/ä.jpg"),
        ("s3://anonymous@bucket/a.jpg", "s3://bucket/a.jpg"),
    ],
)
def test_a_uri_is_the_same_after_its_way_as_a_path(text: str, stored: str) -> None:
    """Plans hold root and key, rows the URI without user."""
    uri = object_uri(text)
    at = uri.place(uri.path)

    assert is_object(at.path)
    assert uri_of(at.path) == uri
    assert stored_bytes(at.path).decode() == stored == shown(at.path)
    assert stored_bytes(stored_place(stored.encode()).path).decode() == stored


def test_a_path_of_a_file_is_never_that_of_an_object() -> None:
    """Paths of files are absolute."""
    file = Path("/s3:/bucket/a.jpg")

    assert not is_object(file)
    assert stored_place(stored_bytes(file)).path == file


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        (
            "http://example.org/a.jpg",
            "http://example.org/a.jpg: http:// is not supported; name folders, s3:// or gs://",
        ),
        ("s3://", "s3://: names no bucket; write s3://bucket/prefix"),
        ("s3:///a.jpg", "s3:///a.jpg: names no bucket; write s3://bucket/prefix"),
        ("s3://b*cket/a", "s3://b*cket/a: names no bucket; write s3://bucket/prefix"),
        ("s3://a//b.jpg", "s3://a//b.jpg: names no bucket; write s3://bucket/prefix"),
        ("s3://aa//b.jpg", "s3://aa//b.jpg: a key with empty parts, `.` or `..` is not supported"),
        ("gs://aa/../b.jpg", "gs://aa/../b.jpg: a key with empty parts, `.` or `..` is not supported"),
        (
            "s3://someone:secret@bucket/a",
            "s3://...@bucket: a URI must not hold credentials; set them in the environment",
        ),
    ],
)
def test_a_uri_that_names_no_objects_is_refused_with_one_sentence(uri: str, why: str) -> None:
    """Credentials are not repeated."""
    with pytest.raises(ConfigError) as refused:
        resolved([uri])

    assert refused.value.problems == (why,)


def test_the_archive_must_be_on_this_machine() -> None:
    """Otherwise a folder `s3:` would be made."""
    with pytest.raises(ConfigError, match="--out s3://bucket/out: the archive must be a folder of this machine"):
        require_outside(Path("s3://bucket/out"), [])


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        ("AWS Error NO_SUCH_KEY during GetObject operation: none", ObjectGoneError, "it is not there"),
        ("AWS Error [code 136] during GetObject operation: glacier", ObjectError, "restore it there first"),
        ("AWS Error UNKNOWN (HTTP status 429) during GetObject operation: x", TransientError, r"error \(429\)"),
        ("AWS Error UNKNOWN (HTTP status 400) during HeadObject operation: No", ObjectError, r"refused it \(400\)"),
        ("AWS Error NETWORK_CONNECTION during GetObject operation: x", TransientError, "the connection failed"),
        ("Bucket 'x' not found", StorageError, "there is no such bucket"),
        ("google::cloud::Status(PERMISSION_DENIED: x)", ObjectError, "access is denied; set GOOGLE_APPLICATION"),
        ("google::cloud::Status(UNAVAILABLE: Retry, OAuth2 access token)", StorageError, "no usable credentials"),
        ("google::cloud::Status(UNAVAILABLE: CURL error [7]=no route error_info={})", TransientError, "no route$"),
        ("something new", ObjectError, r"the storage refused it \(unknown error\)"),
    ],
)
def test_the_errors_of_pyarrow_become_clauses(text: str, kind: type[Exception], why: str) -> None:
    """Others come from a real server in tests/integration."""
    error = explained(OSError(text), "gs://bucket" if text.startswith("google") else "s3://bucket")

    assert type(error) is kind
    with pytest.raises(kind, match=why):
        raise error


def test_an_error_of_a_bucket_reaches_the_driver_with_its_text() -> None:
    """Ray pickles it."""
    error = pickle.loads(pickle.dumps(StorageError("there is no such bucket", "s3://bucket")))  # noqa: S301 (our own)

    assert isinstance(error, SystemFaultError)
    assert str(error) == "s3://bucket: there is no such bucket"


def test_what_fails_for_a_while_is_tried_three_times_with_growing_pauses() -> None:
    """Another error is not."""
    paused: list[float] = []
    store = FakeStore({}, failures=[TransientError("busy")] * 3)
    patient = PatientStore(store, (1.0, 4.0), paused.append)

    with pytest.raises(TransientError, match=r"^busy \(3 tries\)$"):
        patient.inside("bucket")
    assert paused == [1.0, 4.0]
    store.failures.append(ObjectError("denied"))
    with pytest.raises(ObjectError, match=r"^denied$"):
        patient.inside("bucket")
    assert store.listings == 4


def test_a_download_without_an_end_is_given_up_and_too_many_end_the_run(tmp_path: Path) -> None:
    """The others come, one at a time here; what was given up holds no slot."""
    sizes = {f"bucket/{number}.jpg": 5 for number in range(4)}
    store = FakeStore(sizes, never={"bucket/0.jpg"})
    copier = Copier(folders_of(store), Allowance(at_once=1, patience_s=0.2, most_stuck=2, reserve=0))

    found = copier.copies([place(f"{number}.jpg") for number in range(4)], tmp_path / "1")
    assert str(found.pop(place("0.jpg"))) == "its download took too long, and was given up"
    assert all(isinstance(each, Copy) for each in found.values())

    store.never.add("bucket/1.jpg")
    with pytest.raises(StorageError, match=r"^s3://bucket: 2 downloads do not end; start the same command again$"):
        copier.copies([place("1.jpg")], tmp_path / "2")
    store.released.set()


def test_a_full_disk_ends_the_run(tmp_path: Path) -> None:
    """Before the download; all other photos would fail too."""
    copier = Copier(folders_of(FakeStore({"bucket/a.jpg": 5})), Allowance(reserve=1 << 60))

    with pytest.raises(SystemFaultError, match=f"no space for temporary copies in {tmp_path};"):
        copier.copies([place("a.jpg")], tmp_path / "scratch" / "1")


def test_slices_are_bounded_in_number_and_in_bytes(tmp_path: Path) -> None:
    """A large object has a slice of its own; copies are removed after an exception as well."""
    large = {"bucket/b.jpg": SLICE_BYTES, "bucket/c.jpg": SLICE_BYTES // 2, "bucket/d.jpg": SLICE_BYTES // 2}
    sizes = {"bucket/a.jpg": 5, **large, **{f"bucket/e{number:02}.jpg": 5 for number in range(20)}}
    source = ObjectSource(Allowance(reserve=0), Stores(lambda _: FakeStore(sizes)), tmp_path)
    places = [place(key.removeprefix("bucket/")) for key in sizes]

    slices = source.slices(places, 16)
    assert [len(each.places) for each in slices] == [1, 1, 2, 16, 4]
    slices = source.slices(places, 16)
    next(slices)
    with pytest.raises(RuntimeError):
        slices.throw(RuntimeError())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_listed_again_after_a_minute_or_twenty_times_its_own_time() -> None:
    """So that a folder of a million objects is not listed for each shard; its error is kept as well."""
    now = [0.0]

    def clock() -> float:
        return now[0]

    store = FakeStore({"bucket/a.jpg": 5, "bucket/a.xmp": 1})
    folders = folders_of(store, clock)
    assert folders.find(place("a.jpg")) == StoredObject.of("bucket/a.jpg", 5, 7)
    assert set(folders.of(place("a.jpg")).kinds) == {"a.jpg", "a.xmp"}
    assert store.listings == 1
    now[0] = 61.0
    store.failures = [ObjectError("access is denied")]
    for _ in range(2):
        with pytest.raises(ObjectError, match="its folder cannot be listed: access is denied"):
            folders.find(place("a.jpg"))
    assert store.listings == 2


def test_the_copies_that_killed_runs_left_are_removed(tmp_path: Path) -> None:
    """Those of runs that go on stay, and so does what another program made."""
    left, other = tmp_path / "culld-objects-left", tmp_path / "other"
    for folder in (left, other):
        (folder / "0").mkdir(parents=True)
        (folder / "0" / "a.jpg").write_bytes(b"x")
        (folder / "culld.lock").touch()

    with scratch_folder(tmp_path) as scratch:
        remove_left_copies(tmp_path)
        assert scratch.stat().st_mode & 0o077 == 0
        assert sorted(each.name for each in tmp_path.iterdir()) == sorted((scratch.name, "other"))
    assert not scratch.exists()
