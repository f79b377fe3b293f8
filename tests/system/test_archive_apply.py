"""`culld archive apply` in whole processes on real folders: score, simulate, dry run, killed, again, restore."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import piexif
import pytest
from PIL import Image

from culld.app.model_files import load_model
from culld.archive.parquet.folder import ArchiveFolder, Manifest
from culld.archive.parquet.row import failed_row
from culld.archive.records import Status
from culld.archive.scoring.shards import write_rows
from culld.cli import exit_codes
from culld.files.locks import state_lock
from culld.records import RootedPath
from harness import factories, raw_files
from harness.daemon_process import COMMAND, POLICY, House

pytest.importorskip("ray")
pytest.importorskip("pyarrow")

SMALL = POLICY.replace("batch: {wait: 300ms}", "batch: {size: 1, wait: 300ms}").replace("workers: 2", "workers: 1")
UNBRAKED = SMALL.replace("  defects:", "  brake: {max_share: never}\n  defects:")
SIZE = (800, 600)
MOVED = {f"burst/{number}.jpg" for number in range(3)} | {"trip/1.jpg", "trip/2.jpg", "trip/raw.dng", "trip/raw.jpg"}
GOOD = factories.picture(1, SIZE)
BLURRED = [factories.blurred(factories.picture(number, SIZE), 14) for number in range(8)]
RATED = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""


def frame(number: int) -> bytes:
    """A blurred frame of a burst."""
    moment = (factories.NOON + timedelta(seconds=number)).strftime("%Y:%m:%d %H:%M:%S").encode()
    facts = {piexif.ExifIFD.DateTimeOriginal: moment, piexif.ExifIFD.ISOSpeedRatings: 100 + 25 * number}
    stream = io.BytesIO()
    exif = piexif.dump({"0th": {piexif.ImageIFD.Model: b"Model X"}, "Exif": facts})
    picture: Image.Image = BLURRED[7]
    picture.save(stream, "JPEG", quality=90 + number, exif=exif)
    return stream.getvalue()


def everything(*folders: Path) -> dict[str, str]:
    """The digest of the bytes of every file below some folders; without what SQLite keeps beside a database."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.name.endswith(("-wal", "-shm", ".lock"))
    }


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Blurred photos: two JPEGs, a RAW with its JPEG and sidecar, a rated one, a burst of three; and a good one."""
    house = House(tmp_path / "house").build(UNBRAKED)
    house.drop("good.jpg", factories.encoded(GOOD, quality=92))
    for number in (1, 2):
        house.drop(f"trip/{number}.jpg", factories.encoded(BLURRED[number], quality=92))
    house.drop("trip/raw.dng", raw_files.dng(BLURRED[3], preview=BLURRED[3]))
    house.drop("trip/raw.jpg", factories.encoded(BLURRED[3], quality=92))
    house.drop("trip/raw.xmp", RATED.replace(b'"4"', b'"0"'))
    house.drop("rated.jpg", factories.encoded(BLURRED[4], quality=92))
    for number in range(3):
        house.drop(f"burst/{number}.jpg", frame(number))
    return house


def command(house: House, *words: str | Path) -> list[str | Path]:
    """The words of `archive apply`."""
    return [COMMAND, "archive", "apply", house.config, house.folder / "out", "--root", house.inbox, *words]


def applied(house: House, *words: str, expect: int = exit_codes.FINE) -> dict[str, Any]:
    """Run it, and return what it counts."""
    done = subprocess.run(command(house, "--json", *words), capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    counts: dict[str, Any] = json.loads(done.stdout)
    return counts


def simulation(house: House) -> dict[str, int]:
    """What `archive simulate` counts."""
    words = [COMMAND, "archive", "simulate", house.config, house.folder / "out", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=True)
    counts: dict[str, int] = json.loads(done.stdout)["counts"]
    return counts


@pytest.mark.slow
def test_scores_are_applied_after_a_kill_and_a_restore_finds_every_byte(house: House) -> None:
    """The photo that was rated after it was scored stays, and so does the best of the burst."""
    subprocess.run([COMMAND, "archive", "score", house.inbox, "--out", house.folder / "out", "--workers=1"], check=True)
    simulated = simulation(house)
    house.drop("rated.jpg.xmp", RATED)
    before, whole = everything(house.inbox), everything(house.folder)

    dry = applied(house, "--dry-run")

    assert everything(house.folder) == whole
    assert [path.name for path in house.folder.iterdir() if path.name in {"state", "quarantine"}] == []
    assert (dry["keep"], dry["tag"], dry["quarantine"], dry["scores"]["taken"]) == (1, 2, 6, 9)
    assert simulated == {"kept": 1, "tagged": 1, "quarantined": 7, "unreadable": 0, "failed": 0}, "before it was rated"

    with subprocess.Popen(command(house), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(house.quarantine.rglob("*.jpg")):
            time.sleep(0.005)
        process.kill()
    applied(house)

    decided = house.ask("SELECT relative, verdict FROM decision WHERE state = 'done' AND released = ''")
    names = {path.relative_to(house.quarantine).as_posix() for path in house.quarantine.rglob("*")}
    stayed = {f"burst/{path.name}" for path in (house.inbox / "burst").glob("*.jpg")}
    assert len(decided) == len(set(decided)) == 9
    assert sum(verdict == "quarantine" for _, verdict in decided) == 6
    assert len(stayed) == 1, "the best of the burst is another one if the kill fell between its tags and its decision"
    assert {name for name in names if name.endswith((".jpg", ".dng"))} == MOVED - stayed
    assert "trip/raw.xmp" in names
    house.culld("restore", "--all", "--untag")

    assert {path: digest for path, digest in everything(house.inbox).items() if "/.culld/" not in path} == before


@pytest.mark.slow
def test_a_running_daemon_is_named(house: House) -> None:
    """It holds the lock of the state folder; nothing is read before that."""
    model = load_model(None)[1].id
    archive = ArchiveFolder(house.folder / "out")
    archive.path.mkdir()
    archive.open(Manifest((str(house.inbox),), model))
    place = RootedPath(house.inbox, Path("good.jpg"))
    write_rows(archive.shard(1, 0), [failed_row(place, None, Status.LOST, "it took too long")], 1)

    with state_lock(house.folder / "state"):
        refused = subprocess.run(command(house), capture_output=True, text=True, timeout=100, check=False)

    assert refused.returncode == exit_codes.SYSTEM_FAULT
    assert refused.stderr.startswith(f"culld: culld is already running on {house.folder / 'state'} (process ")
