"""`culld restore` as a process: interrupted, after photos were deleted from quarantine, after another program wrote."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness import factories, sidecars
from harness.daemon_process import COMMAND, POLICY, House

BLURRED = [factories.encoded(factories.blurred(factories.picture(i)), quality=92) for i in range(3)]
SMALL = factories.encoded(factories.blurred(factories.picture(7, (640, 480))), quality=80)
_PIPE_BYTES = 4096
"""The smallest pipe: a program whose lines are not read is held up after some forty of them."""


UNBRAKED = POLICY.replace("  defects:", "  brake: {max_share: never}\n  defects:")


def numbered(data: bytes, number: int) -> bytes:
    """The same picture as another file, with a comment segment after the start of the JPEG."""
    comment = f"{number:08}".encode()
    return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


def interrupted_after_a_line(command: list[str | Path]) -> tuple[int, str, str]:
    """Run a command that writes many lines, and press Ctrl-C after the first; its exit code and output."""
    # In the background of a shell Ctrl-C is ignored, and would be by what is started from there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pipesize=_PIPE_BYTES)
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    return process.returncode, first + rest, errors


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_interrupted_restore_leaves_nothing_half_done_and_is_finished_by_the_next(house: House) -> None:
    """Each photo that is back has its old bytes and no sidecar; the others are still in quarantine."""
    house.config.write_text(UNBRAKED)
    photos = {f"{'x' * 60}-{number:03}.jpg": numbered(SMALL, number) for number in range(150)}
    for name, data in photos.items():
        house.drop(name, data)
    house.culld("once")
    assert len(house.photos(house.quarantine)) == len(photos)

    code, told, errors = interrupted_after_a_line([COMMAND, "restore", "--all", "--config", house.config])

    back = {path.name: path.read_bytes() for path in house.inbox.iterdir() if path.suffix in {".jpg", ".xmp"}}
    assert code == 130, errors
    assert 0 < len(back) < len(photos)
    assert back == {name: photos[name] for name in back}
    assert len(told.splitlines()) == len(back)
    assert f"{len(back)} restored, {len(photos) - len(back)} selected photos remain" in errors

    house.culld("restore", "--all")
    assert {path.name: path.read_bytes() for path in house.inbox.iterdir() if path.is_file()} == photos
    assert house.photos(house.quarantine) == {}


@pytest.mark.slow
def test_an_interrupted_sweep_is_reported(house: House) -> None:
    """It does not end as if all had been judged; what it had begun is finished by the next one."""
    house.config.write_text(UNBRAKED)
    for number in range(40):
        house.drop(f"{number}.jpg", numbered(SMALL, number))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [COMMAND, "once", "--config", house.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    signal.signal(signal.SIGINT, before)
    house.wait_until(house.journal.exists, "the journal")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, "culld: interrupted" in errors) == (130, True)
    house.culld("once")
    assert len(house.photos(house.quarantine)) == 40


@pytest.mark.slow
def test_a_deleted_reject_is_an_answer_and_leaves_nothing_behind(house: House) -> None:
    """`restore --all` ends well, now and later."""
    house.drop("wrong.jpg", BLURRED[0])
    house.drop("right.jpg", BLURRED[1])
    house.culld("once")
    (house.quarantine / "right.jpg").unlink()

    told = house.culld("restore", "--all")

    assert "deleted" in told
    assert ["owner.json"] == [path.name for path in house.quarantine.rglob("*") if path.is_file()]
    assert (house.inbox / "wrong.jpg").read_bytes() == BLURRED[0]
    assert "nothing in quarantine is selected" in house.culld("restore", "--all")
    (blur,) = [each for each in reported(house) if each["name"] == "blur"]
    assert (blur["false"], blur["confirmed"], blur["false_rate"]) == (1, 1, 0.5)


@pytest.mark.slow
def test_a_card_that_is_copied_again_after_a_reject_was_deleted_is_judged_as_new(house: House) -> None:
    """The answer stays "deleted", and the copy is moved like the first one."""
    house.drop("a.jpg", BLURRED[0])
    house.culld("once")
    (house.quarantine / "a.jpg").unlink()
    house.drop("a.jpg", BLURRED[0])

    house.culld("once")

    assert not (house.inbox / "a.jpg").exists()
    (blur,) = [each for each in reported(house) if each["name"] == "blur"]
    assert (blur["false"], blur["confirmed"], blur["waiting"]) == (0, 1, 1)
    house.culld("restore", "--all")
    assert (house.inbox / "a.jpg").read_bytes() == BLURRED[0]


@pytest.mark.slow
def test_a_restore_without_an_answer_counts_as_nothing(house: House) -> None:
    """For trying culld out; the photo is back and protected all the same."""
    house.drop("a.jpg", BLURRED[0])
    house.culld("once")
    house.culld("restore", "--all", "--undecided")
    house.culld("once")

    assert (house.inbox / "a.jpg").read_bytes() == BLURRED[0]
    (blur,) = reported(house)
    assert (blur["false"], blur["confirmed"], blur["waiting"], blur["none"]) == (0, 0, 0, 1)


@pytest.mark.slow
def test_photos_of_one_name_come_back_as_they_were(house: House) -> None:
    """The second one beside the first; there is nothing to complain of, and nothing left to untag."""
    for data in BLURRED:
        house.drop("a.jpg", data)
        house.culld("once")
    told = house.culld("restore", "--untag", "--all")

    assert "stay" not in told
    files = [path for path in house.inbox.iterdir() if path.is_file()]
    assert sorted(path.read_bytes() for path in files) == sorted(BLURRED)
    house.culld("restore", "--untag", "--all")


@pytest.mark.slow
def test_culld_s_keywords_are_taken_out_of_a_sidecar_that_darktable_rewrote(house: House) -> None:
    """The photo itself, which darktable does not write, gets its bytes back; darktable's data stay."""
    house.config.write_text(house.config.read_text().replace("enforce", "observe"))
    house.drop("a.jpg", BLURRED[0])
    house.culld("once")
    sidecar = house.inbox / "a.jpg.xmp"
    sidecar.write_bytes(sidecars.as_darktable_rewrites(sidecar.read_bytes(), "Holiday"))

    told = house.culld("restore", "--untag", "--all")

    assert "another program changed a.jpg.xmp since: culld's keywords are taken out, the rest stays" in told
    assert (house.inbox / "a.jpg").read_bytes() == BLURRED[0]
    left = sidecar.read_bytes()
    assert b"defect" not in left
    assert b"culld" not in left
    assert b"<rdf:li>Holiday</rdf:li>" in left
    assert b"darktable:history_end" in left
    assert "nothing" in house.culld("restore", "--untag", "--all")
    house.culld("once")
    assert (house.inbox / "a.jpg").read_bytes() == BLURRED[0]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    shutil.which("darktable") is None or shutil.which("xvfb-run") is None, reason="needs darktable and xvfb"
)
def test_what_the_installed_darktable_makes_of_a_sidecar_is_untagged(house: House) -> None:
    """It is started on a photo with culld's sidecar, which it rewrites on import, and ended once that is done."""
    house.config.write_text(POLICY.replace("enforce", "observe"))
    photo = house.drop("a.jpg", BLURRED[0])
    house.culld("once")
    sidecar = house.inbox / "a.jpg.xmp"
    command = ["xvfb-run", "-a", "darktable", "--library", str(house.folder / "library.db")]
    for name in ("configdir", "cachedir"):
        command += [f"--{name}", str(house.folder / name)]
    command += ["--conf", "write_sidecar_files=on import", str(photo)]
    with (house.folder / "log.txt").open("w") as log:
        darktable = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            house.wait_until(lambda: b"darktable:import_timestamp" in sidecar.read_bytes(), "the import", 120)
        finally:
            os.killpg(darktable.pid, signal.SIGTERM)
            darktable.wait(60)

    told = house.culld("restore", "--untag", "--all")

    assert "culld's keywords are taken out" in told
    assert photo.read_bytes() == BLURRED[0]
    left = sidecar.read_bytes()
    assert (b"defect" in left, b"culld" in left, b"darktable:import_timestamp" in left) == (False, False, True)


def reported(house: House) -> list[dict[str, object]]:
    """Return the lines of `culld report` about the defects."""
    told = [json.loads(line) for line in house.culld("report", "--json").splitlines()]
    return [each for each in told if each["by"] == "defect"]
