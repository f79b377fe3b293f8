"""Folders that cannot be read, are not mounted, or are used by another culld; and the photos in them."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import piexif
import pytest

from harness import factories
from harness.daemon_process import POLICY, House
from harness.deep_paths import deep_file
from harness.users import AS_ANY_USER, needs_setpriv

SHARP = factories.encoded(factories.picture(1))
BLURRED = factories.encoded(factories.blurred(factories.picture(2)))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def lock(path: Path, mode: int) -> None:
    """Give a file or a folder to another user, with this mode."""
    os.chown(path, 65534, 65534)
    path.chmod(mode)


@needs_setpriv
def test_once_names_the_photo_that_it_cannot_read(house: House) -> None:
    """Also at the next call, when its next try is not due yet; the exit code is that of a failure."""
    house = replace(house, before=AS_ANY_USER)
    lock(house.drop("a.jpg", SHARP), 0)

    first = house.culld("once", expect=1)
    second = house.culld("once", expect=1)

    assert first.startswith("1 failed (see culld status)\n")
    assert second.startswith("1 failed earlier and wait for another try\n")
    for told in (first, second):
        assert f"  {house.inbox / 'a.jpg'}: cannot read {house.inbox / 'a.jpg'}: permission denied" in told
    told = json.loads(house.culld("once", "--json", expect=1))
    assert (told["failed"], told["waiting"], told["faults"][0]["path"]) == (0, 1, str(house.inbox / "a.jpg"))


@needs_setpriv
def test_a_folder_that_may_not_be_entered_costs_that_folder_only(house: House) -> None:
    """Mode 744 of another user: its names can be listed, its files cannot be opened."""
    house = replace(house, before=AS_ANY_USER)
    closed = house.drop("closed/a.jpg", BLURRED).parent
    lock(closed, 0o744)
    house.drop("b.jpg", BLURRED)

    told = house.culld("once", expect=1)
    assert told.startswith("1 quarantined, 1 folders cannot be read\n")
    assert "permission denied" in told

    house.drop("c.jpg", BLURRED)
    with house.daemon():
        house.wait_until(lambda: "c.jpg" in house.photos(house.quarantine), "the move")
        status = house.culld("status")
        assert "1 folders cannot be read, the photos in them wait for the next scan:" in status
        lock(closed, 0o777)
        house.wait_until(lambda: "closed/a.jpg" in house.photos(house.quarantine), "the next scan")
        house.wait_until(lambda: "cannot be read" not in house.culld("status"), "the new status")
    assert house.log().count("permission denied") == 1


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp", "a.wav"])
def test_a_folder_that_is_called_like_a_sidecar_does_not_matter(house: House, name: str) -> None:
    """The photo is judged and moved; the folder stays."""
    house.drop("a.jpg", BLURRED)
    (house.inbox / name).mkdir()

    assert house.culld("once") == "1 quarantined\n"
    assert set(house.photos(house.quarantine)) == {"a.jpg"}
    assert (house.inbox / name).is_dir()
    house.culld("restore", "--all")
    assert set(house.photos(house.inbox)) == {"a.jpg"}


def test_two_roots_with_the_same_name_in_them_take_one_run(house: House) -> None:
    """Both photos are moved, under two names, and both come back."""
    house.config.write_text(POLICY.replace("  - path: inbox", "  - path: inbox\n  - path: other"))
    house.drop("x/a.jpg", BLURRED)
    other = house.folder / "other" / "x" / "a.jpg"
    other.parent.mkdir(parents=True)
    other.write_bytes(factories.encoded(factories.blurred(factories.picture(3))))

    assert house.culld("once") == "2 quarantined\n"
    assert len(house.photos(house.quarantine)) == 2
    house.culld("restore", "--all")
    assert house.photos(house.inbox).keys() == house.photos(house.folder / "other").keys() == {"x/a.jpg"}


def test_a_path_that_is_longer_than_the_kernel_takes_is_judged(house: House) -> None:
    """It is opened folder by folder; the doctor warns of such paths."""
    relative = Path(*["d" * 250] * 20, "a.jpg")
    with deep_file(house.inbox, relative, SHARP):
        assert house.culld("once") == "1 kept\n"
        done = house.run("doctor")
        assert "Traceback" not in done.stderr
        assert "folders have paths of 4096 bytes or more" in done.stdout

    with deep_file(house.inbox, relative, BLURRED):
        with house.daemon():
            house.wait_until(lambda: "1 quarantine" in house.culld("status"), "the move")
        assert house.culld("restore", "--all").startswith("restored  ")


@contextmanager
def program_mount(behind: Path, point: Path) -> Iterator[int]:
    """A FUSE mount of a folder, and the process behind it."""
    if shutil.which("bindfs") is None or not Path("/dev/fuse").exists():
        pytest.skip("needs bindfs and FUSE")
    process = subprocess.Popen(["bindfs", "-f", behind, point], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 20
        while not os.path.ismount(point):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.skip("bindfs cannot mount here")
            time.sleep(0.05)
        yield process.pid
    finally:
        subprocess.run(["fusermount", "-u", "-z", point], capture_output=True, check=False)
        process.kill()
        process.communicate()


def test_a_quarantine_whose_mount_has_died_is_waited_for(house: House) -> None:
    """Every command prints what to do; once it is mounted again, culld continues."""
    behind = house.folder / "behind"
    behind.mkdir()
    house.quarantine.mkdir()
    expected = f"cannot be used: its mount is dead; umount -l {house.quarantine} and mount it again"
    with program_mount(behind, house.quarantine) as first:
        assert house.culld("once") == "nothing new\n"
        house.drop("a.jpg", BLURRED)
        os.kill(first, signal.SIGKILL)
        house.wait_until(lambda: is_dead(house.quarantine), "the end of the program")

        for command in (["once"], ["restore", "--all"]):
            assert expected in house.fault(*command)
        assert f"umount -l {house.quarantine} and mount it again" in house.run("doctor").stdout
        with house.daemon():
            house.wait_until(lambda: expected in house.log(), "the word about it")
            subprocess.run(["fusermount", "-u", "-z", house.quarantine], check=True)
            with program_mount(behind, house.quarantine):
                house.wait_until((behind / "a.jpg").exists, "the move", 150)
    assert "Traceback" not in house.log()


def test_an_inbox_whose_mount_has_died_is_passed_over(house: House) -> None:
    """The journal is not blamed."""
    behind = house.folder / "behind"
    behind.mkdir()
    with program_mount(behind, house.inbox) as first:
        os.kill(first, signal.SIGKILL)
        house.wait_until(lambda: is_dead(house.inbox), "the end of the program")

        done = house.run("once")

        assert (done.returncode, done.stdout) == (0, "nothing new\n")
        assert "its mount is dead" in done.stderr
        assert "Traceback" not in house.run("doctor").stderr


def is_dead(folder: Path) -> bool:
    """Return whether the process of a mount has ended."""
    try:
        folder.stat()
    except OSError:
        return True
    return False


def test_two_cullds_on_nested_folders_leave_each_other_alone(tmp_path: Path) -> None:
    """Neither watched folder nor quarantine of the inner one is touched by the outer one, running or not."""
    outer = House(tmp_path / "outer").build()
    inner = House(outer.inbox / "inner").build()
    inner.drop("a.jpg", BLURRED)
    inner.culld("once")
    inner.drop("b.jpg", SHARP)
    outer.drop("c.jpg", BLURRED)

    with outer.daemon():
        outer.wait_until(lambda: "c.jpg" in outer.photos(outer.quarantine), "the move")
        assert "lies in" in inner.fault("once")
    with inner.daemon():
        inner.wait_until(lambda: "1 keep" in inner.culld("status"), "the other photo")
        outer.culld("once")

    assert outer.photos(outer.quarantine).keys() == {"c.jpg"}
    assert inner.photos(inner.quarantine).keys() == {"a.jpg"}
    assert "is the quarantine of the culld with the state folder" in outer.log()


def frame(number: int, radius: float) -> bytes:
    """A blurred shot of a burst from hand, half a second after the one before."""
    wide = factories.picture(31, (1200, 720))
    moment = factories.NOON + timedelta(seconds=number / 2)
    exif = {
        "0th": {piexif.ImageIFD.Model: b"Model X"},
        "Exif": {
            piexif.ExifIFD.DateTimeOriginal: moment.strftime("%Y:%m:%d %H:%M:%S").encode(),
            piexif.ExifIFD.SubSecTimeOriginal: moment.strftime("%f").encode(),
        },
    }
    stream = io.BytesIO()
    picture = factories.blurred(wide.crop((number * 40, 0, number * 40 + 960, 720)), radius)
    picture.save(stream, "JPEG", quality=90, exif=piexif.dump(exif))
    return stream.getvalue()


def test_a_burst_of_which_half_is_still_young_is_judged_as_one(house: House) -> None:
    """The first frames have settled when `once` starts, the others not."""
    house.config.write_text(POLICY.replace("quiet: 500ms", "quiet: 4s"))
    first = house.drop("0.jpg", frame(0, 14))
    house.wait_until(lambda: time.time() - first.stat().st_ctime > 4.5, "the first half of the burst", 30)
    house.drop("1.jpg", frame(1, 11))
    house.drop("2.jpg", frame(2, 12))

    assert house.culld("once") == "1 tagged, 2 quarantined\n"
    assert "it is the best of a burst of 3" in house.culld("log")


def test_a_burst_that_is_cut_between_batches_is_judged_as_one(house: House) -> None:
    """Its files were last changed minutes apart, as after a slow copy."""
    house.config.write_text(POLICY.replace("wait: 300ms", "wait: 300ms, size: 2"))
    now = time.time()
    for number, radius in enumerate((14, 13, 11, 12, 14)):
        os.utime(house.drop(f"{number}.jpg", frame(number, radius)), (now, now - 600 * (9 - number)))

    assert house.culld("once") == "1 tagged, 4 quarantined\n"
    assert "it is the best of a burst of 5" in house.culld("log")
