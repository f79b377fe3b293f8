"""Archives of photos in object storage, against an S3 server on this machine that is slow, fails and cuts answers."""

from __future__ import annotations

import functools
import json
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from culld.app.model_files import locate_face_networks
from culld.archive.objects.arrow import Stores, open_store
from culld.archive.objects.copies import Allowance
from culld.archive.objects.listing import ObjectListing, require_readable
from culld.archive.objects.store import Waits
from culld.archive.objects.uri import object_uri
from culld.archive.parquet.folder import ArchiveFolder
from culld.archive.records import Shard, Status, Tally
from culld.archive.scoring.plan import deleted_in, make_plan, shards_of
from culld.archive.scoring.shards import AT_ONCE, ShardScorer, deleted_row, write_rows
from culld.archive.scoring.source import FIRST, ObjectSource
from culld.archive.scoring.uris import Listing, resolved
from culld.errors import ConfigError, PhotoError, SystemFaultError
from culld.imaging.formats import supported_extensions
from culld.inference.pending import PendingResults
from culld.records import FileSnapshot
from culld.stages.read import WorkerSettings
from culld.stages.read.worker import PhotoWorker
from culld.stages.watch.scanner import Scanner
from harness import factories, raw_files
from harness.archives import FlakyWorkers, rows_of
from harness.google_server import google_server
from harness.object_server import Bad, Fault, ObjectServer, object_server

pytest.importorskip("pyarrow")
pytest.importorskip("moto")

MODEL = Path(__file__).resolve().parents[2] / "models" / "defects" / "model.tflite"
SETTINGS = WorkerSettings(MODEL, "model@1", 10**8, 10**8, faces=locate_face_networks())
IS_PHOTO = Scanner(supported_extensions()).is_photo
QUICK = Waits(connect_s=1, silent_s=1, pauses_s=(0.0, 0.0))
BYTES = 1000
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""


@dataclass
class HereWorkers:
    """Workers in this process."""

    _worker: PhotoWorker = field(default_factory=lambda: PhotoWorker(SETTINGS))

    def submit(self, requests: list[object], *, urgent: bool = False) -> PendingResults[object]:
        """Answer at once."""
        pending = PendingResults(requests)
        for number, request in enumerate(requests):
            pending.put(number, request.handle(self._worker))
        return pending


@pytest.fixture(scope="module")
def running() -> Iterator[ObjectServer]:
    """The server of all tests."""
    with object_server() as server:
        yield server


@pytest.fixture
def server(running: ObjectServer, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ObjectServer:
    """The server, with a bucket for this test alone, and without faults; credentials are in the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    running.faults.clear()
    running.requests.clear()
    running.before.clear()
    running.private, running.signed = False, 0
    running.bucket = f"bucket-{zlib.crc32(request.node.nodeid.encode())}"
    running.put(running.bucket)
    return running


def quick_stores() -> Stores:
    """Storages that do not wait before they try again."""
    return Stores(functools.partial(open_store, waits=QUICK))


def filled(server: ObjectServer, *names: str, acl: str = "private") -> str:
    """Store files that are large enough for the text of an error, and return the URI of their prefix."""
    for name in names:
        server.put(f"{server.bucket}/p/{name}", name.encode().ljust(BYTES), acl)
    return f"s3://{server.bucket}/p"


def planned(out: Path, uri: str) -> tuple[int, Listing]:
    """Plan the photos of a URI."""
    listing = Listing(resolved([uri]))
    listing.objects = ObjectListing(IS_PHOTO, listing.missing, listing.unreadable, quick_stores())
    return make_plan(ArchiveFolder(out), listing, 100), listing


def source(temp: Path, **allowed: float) -> ObjectSource:
    """A source of objects that gives up soon."""
    temp.mkdir(exist_ok=True)
    return ObjectSource(Allowance(**{"reserve": 0, **allowed}), quick_stores(), temp)


def committed(out: Path, scan: int, from_: ObjectSource) -> Tally:
    """Make the rows of a plan with workers that open no photo."""
    folder = ArchiveFolder(out)
    write_rows(folder.deleted(scan), map(deleted_row, deleted_in(folder, scan)), scan)
    tally = Tally()
    for shard in shards_of(folder, scan):
        tally += ShardScorer(FlakyWorkers("", 0), folder, source=from_).score(shard)
    return tally


def gone(out: Path, scan: int) -> list[str]:
    """The names of the photos that a plan found to be gone."""
    return [place.relative.name for place in deleted_in(ArchiveFolder(out), scan)]


def statuses(out: Path) -> dict[str, str]:
    """The last status of each photo by its name."""
    return {str(row["path"]).rpartition("/")[2]: str(row["status"]) for row in rows_of(out)}


def test_the_rows_are_those_of_the_same_files_in_a_folder(server: ObjectServer, tmp_path: Path) -> None:
    """All columns but the path and the mtime: scores, digest, camera, a burst, sidecars, ratings, errors."""
    photos, plain, stored = tmp_path / "photos", tmp_path / "plain", tmp_path / "stored"
    _fill(photos)
    for file in photos.rglob("*.*"):
        server.put(f"{server.bucket}/p/{file.relative_to(photos)}", file.read_bytes())
    make_plan(ArchiveFolder(plain), Listing(resolved([str(photos)])), 100)
    planned(stored, f"s3://{server.bucket}/p")

    workers = HereWorkers()
    for out in (plain, stored):
        (shard,) = shards_of(ArchiveFolder(out), 1)
        ShardScorer(workers, ArchiveFolder(out), source=source(tmp_path / "temp")).score(shard)

    expected = {str(Path(str(row["path"])).relative_to(photos)): row for row in rows_of(plain)}
    found = {str(row["path"]).removeprefix(f"s3://{server.bucket}/p/"): row for row in rows_of(stored)}
    assert len(found) == 8
    for name, row in found.items():
        assert row["mtime_ns"] % 10**9 == 0
        assert {**row, "path": "", "mtime_ns": 0} == {**expected[name], "path": "", "mtime_ns": 0}
    assert found["trip/raw.dng"]["sidecars"] == ["raw.xmp"]
    assert json.loads(str(found["trip/raw.dng"]["facts"]))["care"] == {"stars": [["xmp:Rating 4", 4.0]]}
    assert found["b1.jpg"]["sharpness"] is not None
    assert found["trip/cut.jpg"]["status"] == "unreadable"
    assert {method for method, _ in server.requests} == {"GET", "HEAD"}
    assert list((tmp_path / "temp").iterdir()) == []


def _fill(photos: Path) -> None:
    """A burst, a RAW with its JPEG and sidecar, a key with odd characters, a damaged photo, files that are none."""
    (photos / "trip").mkdir(parents=True)
    scene = factories.picture(1, (640, 480))
    for number, picture in enumerate((factories.blurred(scene, 1), scene, factories.blurred(scene, 0.7))):
        exif = Image.Exif()
        exif[0x0110] = "X100"
        exif.get_ifd(0x8769)[0x9003] = (factories.NOON + timedelta(seconds=number)).strftime("%Y:%m:%d %H:%M:%S")
        (photos / f"b{number}.jpg").write_bytes(factories.encoded(picture, quality=92, exif=exif))
    picture = factories.picture(99, (320, 240))
    files = {
        "raw.dng": raw_files.dng(picture, preview=picture), "raw.jpg": factories.encoded(picture), "raw.xmp": XMP,
        "ä b%20+[1].png": factories.encoded(picture, "PNG"), "cut.jpg": factories.encoded(picture)[:2000],
        "two.webp": factories.encoded(picture, "WEBP"), "two.enhanced.jpg": factories.encoded(picture),
        "notes.txt": b"x", ".hidden.jpg": b"x",
    }  # fmt: skip
    for name, data in files.items():
        (photos / "trip" / name).write_bytes(data)


def test_a_second_scan_reads_new_and_changed_objects_and_marks_those_that_are_gone(
    server: ObjectServer, tmp_path: Path
) -> None:
    """A third one has nothing to do."""
    out, uri = tmp_path / "out", filled(server, "a.jpg", "b.jpg", "c.jpg")
    committed(out, planned(out, uri)[0], source(tmp_path / "temp"))
    server.put(f"{server.bucket}/p/b.jpg", b"changed")
    server.put(f"{server.bucket}/p/d.jpg", b"new")
    server.delete(f"{server.bucket}/p/a.jpg")

    scan, _ = planned(out, uri)
    (shard,) = shards_of(ArchiveFolder(out), scan)
    assert sorted(place.relative.name for place in shard.places) == ["b.jpg", "d.jpg"]
    committed(out, scan, source(tmp_path / "temp"))
    assert statuses(out) == {"a.jpg": "deleted", "b.jpg": "scored", "c.jpg": "scored", "d.jpg": "scored"}
    assert planned(out, uri)[0] == 0


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("GET", "p/b.jpg", Bad.STATUS), "the storage answered with an error (SLOW_DOWN) (3 tries)"),
        (Fault("HEAD", "p/b.jpg", Bad.STATUS), "the storage answered with an error (503) (3 tries)"),
        (Fault("GET", "p/b.jpg", Bad.CUT), "the storage cannot be reached: Transferred a partial file (3 tries)"),
        (Fault("GET", "p/b.jpg", Bad.STALLED), "the storage cannot be reached: Timeout was reached (3 tries)"),
        (Fault("GET", "p/b.jpg", Bad.TRICKLING), "its download took too long, and was given up"),
        (Fault("GET", "p/b.jpg", Bad.STATUS, status=403, code="AccessDenied"), "access is denied; set AWS_ACCESS_KEY"),
    ],
    ids=lambda value: f"{value.bad.name} {value.method} {value.code}" if isinstance(value, Fault) else "",
)
def test_an_object_that_cannot_be_read_costs_itself_an_error_row(
    fault: Fault, why: str, server: ObjectServer, tmp_path: Path
) -> None:
    """The others are scored. The next scan reads it, and none of the others."""
    out, uri = tmp_path / "out", filled(server, "a.jpg", "b.jpg", "c.jpg")
    server.faults.append(fault)
    patience_s = 0.5 if fault.bad is Bad.TRICKLING else 60.0

    tally = committed(out, planned(out, uri)[0], source(tmp_path / "temp", patience_s=patience_s))

    assert tally == Tally({Status.SCORED: 2, Status.FAILED: 1})
    (failed,) = [row for row in rows_of(out) if row["status"] == "failed"]
    assert str(failed["path"]).endswith("/p/b.jpg")
    assert str(failed["error"]).startswith(why), server.requests
    server.faults.clear()
    scan, _ = planned(out, uri)
    assert committed(out, scan, source(tmp_path / "temp")) == Tally({Status.SCORED: 1})
    assert statuses(out) == dict.fromkeys(("a.jpg", "b.jpg", "c.jpg"), "scored")


def test_an_error_that_passes_costs_a_try(server: ObjectServer, tmp_path: Path) -> None:
    """Two answers in turn are bad."""
    out, uri = tmp_path / "out", filled(server, "a.jpg")
    scan, _ = planned(out, uri)
    server.faults += [Fault("GET", "p/a.jpg", Bad.CUT, 1), Fault("HEAD", "p/a.jpg", Bad.STATUS, 1)]

    assert committed(out, scan, source(tmp_path / "temp")) == Tally({Status.SCORED: 1})


def test_an_object_that_changed_or_was_removed_after_the_plan_has_a_true_row(
    server: ObjectServer, tmp_path: Path
) -> None:
    """The row of a changed one holds its present size; one that is gone says so."""
    out, uri = tmp_path / "out", filled(server, "a.jpg", "b.jpg")
    scan, _ = planned(out, uri)
    server.put(f"{server.bucket}/p/a.jpg", b"another content")
    server.delete(f"{server.bucket}/p/b.jpg")

    committed(out, scan, source(tmp_path / "temp"))

    rows = {str(row["path"])[-5:]: row for row in rows_of(out)}
    assert (rows["a.jpg"]["status"], rows["a.jpg"]["size"]) == ("scored", len(b"another content"))
    assert (rows["b.jpg"]["status"], rows["b.jpg"]["error"]) == ("failed", "it was removed after it was listed")
    assert gone(out, planned(out, uri)[0]) == ["b.jpg"]


def test_an_object_above_the_limit_is_not_downloaded(server: ObjectServer, tmp_path: Path) -> None:
    """Its row says so, and holds its size."""
    out, uri = tmp_path / "out", filled(server, "small.jpg")
    server.put(f"{server.bucket}/p/large.jpg", b"x" * 5000)

    committed(out, planned(out, uri)[0], source(tmp_path / "temp", most_bytes=4999))

    (row,) = [row for row in rows_of(out) if row["status"] == "failed"]
    assert (row["error"], row["size"]) == ("larger than limits.file_size allows", 5000)
    assert server.count("GET", "large.jpg") == 0


def test_a_photo_whose_sidecar_or_folder_cannot_be_read_has_no_scores(server: ObjectServer, tmp_path: Path) -> None:
    """A rating could be overlooked otherwise."""
    out, uri = tmp_path / "out", filled(server, "a.jpg", "b.jpg", "b.jpg.xmp")
    scan, _ = planned(out, uri)
    server.faults.append(Fault("GET", "b.jpg.xmp", Bad.CUT))
    committed(out, scan, source(tmp_path / "temp"))
    assert statuses(out) == {"a.jpg": "scored", "b.jpg": "failed"}

    server.faults[:] = [Fault("GET", "prefix=p/", Bad.STATUS, status=403, code="AccessDenied")]
    (shard,) = shards_of(ArchiveFolder(out), 1)
    tally = ShardScorer(FlakyWorkers("", 0), ArchiveFolder(out), source=source(tmp_path / "temp")).score(shard)
    assert tally == Tally({Status.FAILED: 2})
    assert {str(row["error"]).partition(":")[0] for row in rows_of(out)} == {"its folder cannot be listed"}


def test_photos_that_could_not_be_listed_are_not_gone(server: ObjectServer, tmp_path: Path) -> None:
    """Those of the other folders are found; nor is any gone where the prefix holds no photo now."""
    out, uri = tmp_path / "out", filled(server, "one/a.jpg", "two/b.jpg", "two/deep/c.jpg", "d.jpg")
    committed(out, planned(out, uri)[0], source(tmp_path / "temp"))
    server.faults.append(Fault("GET", "prefix=p/two/", Bad.STATUS, code="InternalError", status=500))
    server.delete(f"{server.bucket}/p/d.jpg")

    scan, listing = planned(out, uri)
    assert gone(out, scan) == ["d.jpg"]
    assert list(shards_of(ArchiveFolder(out), scan)) == []
    assert list(listing.unreadable.values()) == ["the storage answered with an error (INTERNAL_FAILURE) (3 tries)"]
    committed(out, scan, source(tmp_path / "temp"))

    for name in ("one/a.jpg", "two/b.jpg", "two/deep/c.jpg"):
        server.delete(f"{server.bucket}/p/{name}")
    server.faults.clear()
    server.put(f"{server.bucket}/p/notes.txt", b"x")
    scan, listing = planned(out, uri)
    assert scan == 0
    assert list(listing.unreadable.values()) == ["holds no photo; rows of its photos stay as they are"]


def test_keys_that_are_no_paths_are_reported_and_never_confused_with_others(
    server: ObjectServer, tmp_path: Path
) -> None:
    """`a//b.jpg` is not `a/b.jpg`, and does not make the listing endless."""
    uri = filled(server, "a/b.jpg", "a//b.jpg", "marker/")
    _, listing = planned(tmp_path / "out", uri)

    (shard,) = shards_of(ArchiveFolder(tmp_path / "out"), 1)
    assert [str(place.relative) for place in shard.places] == ["p/a/b.jpg"]
    assert list(listing.unreadable.values()) == ["1 keys in it have empty parts, `.` or `..`; they are passed over"]


def test_a_text_file_may_name_objects_and_files(server: ObjectServer, tmp_path: Path) -> None:
    """An object, a prefix, an object that is not there, and a file; one shard holds them, and all are scored."""
    uri = filled(server, "a.jpg", "trip/b.jpg", "other.jpg")
    (tmp_path / "here.jpg").write_bytes(b"x")
    names = tmp_path / "list.txt"
    names.write_text(f"{uri}/a.jpg\n{uri}/trip/\n{uri}/gone.jpg\nhere.jpg\n")

    scan, listing = planned(tmp_path / "out", str(names))
    committed(tmp_path / "out", scan, source(tmp_path / "temp"))

    assert statuses(tmp_path / "out") == dict.fromkeys(("a.jpg", "b.jpg", "here.jpg"), "scored")
    assert listing.missing == [f"{uri}/gone.jpg"]


@pytest.mark.parametrize(
    ("uri", "fault", "why"),
    [
        ("s3://no-such-bucket/p", None, "there is no such bucket"),
        ("s3://{}/typo", None, "holds no object"),
        ("s3://{}/p/*.jpg", None, "is no key; patterns are not supported in object storage, name a prefix"),
        ("s3://{}/p/notes.txt", None, "is no photo; a text file with paths must be on this machine"),
        ("s3://{}/p", (403, "AccessDenied"), "access is denied; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("s3://{}/p", (403, "InvalidAccessKeyId"), "the credentials are refused (INVALID_ACCESS_KEY_ID); check AWS"),
        ("s3://{}/p", (403, "SignatureDoesNotMatch"), "the credentials are refused (SIGNATURE_DOES_NOT_MATCH)"),
        ("s3://{}/p", (400, "ExpiredToken"), "the credentials are refused (ExpiredToken)"),
        ("s3://{}/p", (403, "RequestTimeTooSkewed"), "the credentials are refused, because the clock of this machine"),
        ("s3://{}/p", (301, "PermanentRedirect"), "the bucket is in another region; set AWS_REGION to it"),
        ("s3://{}/p", (400, "AuthorizationHeaderMalformed"), "the bucket is in another region"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
def test_a_uri_that_cannot_be_read_is_refused_with_the_reason(
    uri: str, fault: tuple[int, str] | None, why: str, server: ObjectServer
) -> None:
    """Before the folder of the archive is made. The secret is in no message."""
    filled(server, "a.jpg", "notes.txt")
    if fault:
        status, code = fault
        server.faults += [Fault(method, "", Bad.STATUS, status=status, code=code) for method in ("HEAD", "GET")]
    uri = uri.format(server.bucket)

    with pytest.raises(ConfigError) as refused:
        require_readable([uri], IS_PHOTO, quick_stores())

    (problem,) = refused.value.problems
    assert problem.startswith(f"{uri}: {why}")
    assert "of-the-test" not in problem


def test_a_storage_that_cannot_be_reached_is_a_fault_of_the_system(
    server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three tries."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with pytest.raises(SystemFaultError) as fault:
        require_readable(["s3://bucket/p"], IS_PHOTO, quick_stores())

    assert str(fault.value) == "s3://bucket/p: the storage cannot be reached: Could not connect to server (3 tries)"


def test_missing_credentials_are_named(server: ObjectServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The SDK sends requests without a signature then, which the server refuses."""
    uri, server.private = filled(server, "a.jpg"), True
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(ConfigError, match="access is denied; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS"):
        require_readable([uri], IS_PHOTO, quick_stores())


def test_a_public_bucket_is_read_without_a_signature_and_has_the_same_rows(
    server: ObjectServer, tmp_path: Path
) -> None:
    """`anonymous` is no part of the path of a row, so that the rows of both are those of one photo."""
    out, uri = tmp_path / "out", filled(server, "a.jpg", acl="public-read")

    scan, _ = planned(out, uri.replace("s3://", "s3://anonymous@"))
    committed(out, scan, source(tmp_path / "temp"))

    assert [(row["path"], row["status"]) for row in rows_of(out)] == [(f"{uri}/a.jpg", "scored")]
    assert server.signed == 0
    assert planned(out, uri)[0] == 0
    assert server.signed > 0


def test_credentials_that_expire_end_the_run_and_commit_no_row(server: ObjectServer, tmp_path: Path) -> None:
    """All other objects would fail as well; the same command goes on later. So it is with a bucket that is gone."""
    out, uri = tmp_path / "out", filled(server, "a.jpg", "b.jpg")
    scan, _ = planned(out, uri)
    expired = functools.partial(Fault, bad=Bad.STATUS, status=400, code="ExpiredToken")
    server.faults += [expired("HEAD", "/p/b.jpg"), expired("GET", "prefix=p/b.jpg/")]

    with pytest.raises(SystemFaultError, match=rf"s3://{server.bucket}: the credentials are refused \(ExpiredToken\)"):
        committed(out, scan, source(tmp_path / "temp"))

    lost = Shard(scan, 0, (object_uri("s3://no-such-bucket/a.jpg").place("no-such-bucket/a.jpg"),))
    with pytest.raises(SystemFaultError, match="there is no such bucket"):
        ShardScorer(FlakyWorkers("", 0), ArchiveFolder(out), source=source(tmp_path / "temp")).score(lost)
    assert list(ArchiveFolder(out).committed(scan)) == []
    assert list((tmp_path / "temp").iterdir()) == []


def test_the_next_slice_is_downloaded_while_the_workers_read(server: ObjectServer, tmp_path: Path) -> None:
    """The first slice is handed out although the second one is not there; two have copies at a time, at most."""
    out, uri = tmp_path / "out", filled(server, *(f"{number:02}.jpg" for number in range(40)))
    scan, _ = planned(out, uri)
    (shard,) = shards_of(ArchiveFolder(out), scan)
    server.before["p/08.jpg"] = threading.Event()
    temp = tmp_path / "temp"

    slices = source(temp).slices(shard.places, AT_ONCE)
    first = next(slices)
    until(lambda: server.count("HEAD", "p/07.jpg") == 1)
    assert len(first.places) == FIRST
    assert isinstance(first.snapshot(first.places[0]), FileSnapshot)
    server.before["p/08.jpg"].set()
    held = []
    for some in slices:
        held.append(len(list(temp.glob("*/*/*/*.jpg"))))
        assert not isinstance(some.snapshot(some.places[0]), PhotoError)
    assert max(held) <= 2 * AT_ONCE
    assert list(temp.iterdir()) == []


def until(holds: Callable[[], bool]) -> None:
    """Wait; the time limit of the test ends a wait in vain."""
    while not holds():
        time.sleep(0.01)


def test_a_photo_in_s3_costs_two_requests_and_a_folder_two_listings(server: ObjectServer, tmp_path: Path) -> None:
    """One listing for the driver and one for the actor; docs/archive.md says so."""
    out, uri = tmp_path / "out", filled(server, *(f"{number:02}.jpg" for number in range(20)))
    scan, _ = planned(out, uri)
    committed(out, scan, source(tmp_path / "temp"))

    assert (server.count("HEAD", ".jpg"), server.count("GET", ".jpg")) == (20, 20)
    assert server.count("GET", "prefix=p/") == 2


def test_the_download_of_a_large_object_notices_a_change(server: ObjectServer, tmp_path: Path) -> None:
    """It takes several requests, which several versions could answer; the object is asked for again at the end."""
    filled(server, "a.jpg")
    store = quick_stores().of(object_uri(f"s3://{server.bucket}/p").root)
    in_parts = replace(store.store, chunk=600)
    found = in_parts.fetch(f"{server.bucket}/p/a.jpg", tmp_path / "copy", BYTES)

    assert (tmp_path / "copy").read_bytes() == b"a.jpg".ljust(BYTES)
    assert found.stamp.size == BYTES
    assert (server.count("GET", "a.jpg"), server.count("HEAD", "a.jpg")) == (2, 2)


def test_google_cloud_storage_is_listed_and_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Against a written fake of its API: one listing for all folders, sidecars, an object that is gone."""
    objects = {"p/a.jpg": b"a" * 3000, "p/a.xmp": XMP, "p/two/b.jpg": b"b", "p/.hid/c.jpg": b"c", "other.jpg": b"o"}
    with google_server("bucket", objects) as url:
        monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", url)
        out, uri = tmp_path / "out", "gs://anonymous@bucket/p"
        require_readable([uri], IS_PHOTO, quick_stores())
        with pytest.raises(ConfigError, match="there is no such bucket"):
            require_readable(["gs://anonymous@other/p"], IS_PHOTO, quick_stores())
        with pytest.raises(ConfigError, match="holds no object"):
            require_readable(["gs://anonymous@bucket/typo"], IS_PHOTO, quick_stores())
        scan, _ = planned(out, uri)
        objects.pop("p/two/b.jpg")
        committed(out, scan, source(tmp_path / "temp"))

        rows = {row["path"]: row for row in rows_of(out)}
        assert {path: row["status"] for path, row in rows.items()} == {
            "gs://bucket/p/a.jpg": "scored", "gs://bucket/p/two/b.jpg": "failed"
        }  # fmt: skip
        assert rows["gs://bucket/p/a.jpg"]["sidecars"] == ["a.xmp"]
        assert rows["gs://bucket/p/a.jpg"]["size"] == 3000
        assert gone(out, planned(out, uri)[0]) == ["b.jpg"]
