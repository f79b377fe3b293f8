"""The main case: defective photos are tagged and moved, the others are not changed, and all can be restored."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path

import pytest

from harness import factories, raw_files
from harness.daemon_process import POLICY, House

SHARP = {f"sharp-{i}.jpg": factories.encoded(factories.picture(i), quality=92) for i in range(10)}
BLURRED = {
    f"blurred-{i}.jpg": factories.encoded(factories.blurred(factories.picture(i)), quality=92) for i in range(10)
}


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def culled(house: House, count: int = 10) -> bool:
    """Return whether this number of photos is in quarantine and the daemon is idle."""
    status = json.loads(house.culld("status", "--json"))
    return len(house.photos(house.quarantine)) == count and status["waiting"] == 0


@pytest.mark.slow
def test_the_bad_go_to_quarantine_and_the_good_are_left_alone(house: House) -> None:
    """Ten blurred and ten sharp pictures, dropped while the daemon runs."""
    with house.daemon():
        for name, data in (SHARP | BLURRED).items():
            house.drop(f"2026/{name}", data)
        house.wait_until(lambda: culled(house), "the quarantine of ten photos")

    assert set(house.photos(house.quarantine)) == {f"2026/{name}" for name in BLURRED}
    assert house.photos(house.inbox) == {f"2026/{name}": digest(data) for name, data in SHARP.items()}
    for name in BLURRED:
        sidecar = house.quarantine / "2026" / f"{name}.xmp"
        assert "defect:blur" in sidecar.read_text()
        assert "d\0e\0f\0e\0c\0t\0:\0b\0l\0u\0r\0" in (house.quarantine / "2026" / name).read_bytes().decode("latin-1")
    assert not list(house.inbox.rglob("*.xmp"))


@pytest.mark.slow
def test_everything_comes_back_and_stays(house: House) -> None:
    """Restored photos stand where they were, byte for byte as they were, and are never taken again."""
    for name, data in BLURRED.items():
        house.drop(name, data)
    house.culld("once")
    assert house.photos(house.quarantine).keys() == BLURRED.keys()

    house.culld("restore", "--all")

    before = {name: digest(data) for name, data in BLURRED.items()}
    assert house.photos(house.inbox) == before
    assert not list(house.inbox.rglob("*.xmp"))
    assert house.photos(house.quarantine) == {}
    house.culld("once")
    with house.daemon():
        house.wait_until(lambda: json.loads(house.culld("status", "--json"))["state"] == "running", "the start")
        house.drop("late.jpg", BLURRED["blurred-0.jpg"][:-2] + b"\0\0\xff\xd9")
    assert house.photos(house.quarantine).keys() <= {"late.jpg"}
    assert {name: seen for name, seen in house.photos(house.inbox).items() if name != "late.jpg"} == before


@pytest.mark.slow
def test_a_blurred_raw_is_moved_as_it_is_and_with_its_jpeg(house: House) -> None:
    """Its tags go into a sidecar; a pair is moved and restored together, or stays."""
    sharp, blurred = factories.picture(1), factories.blurred(factories.picture(1))
    data = raw_files.dng(sharp, preview=blurred)
    for name in ("alone.dng", "gone.dng"):
        house.drop(name, data)
    house.drop("stays.dng", raw_files.dng(sharp, preview=sharp))
    for name in ("gone.jpg", "stays.jpg"):
        house.drop(name, BLURRED["blurred-1.jpg"])

    house.culld("once")

    assert {path.name for path in house.quarantine.glob("*.dng")} == {"alone.dng", "gone.dng"}
    assert {path.name for path in house.quarantine.glob("*.jpg")} == {"gone.jpg"}
    assert (house.quarantine / "gone.dng").read_bytes() == data
    assert (house.quarantine / "gone.dng.xmp").exists()
    assert "stays.dng, the same shot, is better" in house.culld("log")
    house.culld("restore", str(house.quarantine / "gone.jpg"))
    assert {path.name for path in house.inbox.glob("gone.*")} == {
        "gone.dng", "gone.jpg",
    }  # fmt: skip
    assert (house.quarantine / "alone.dng").exists()


@pytest.mark.slow
def test_a_live_photo_goes_with_its_movie_and_another_movie_keeps_a_photo(house: House) -> None:
    """And both halves come back."""
    live, clip = b"ftypqt  com.apple.quicktime.content.identifier moov", b"ftypqt  moov"
    for name, movie in (("live", live), ("clip", clip)):
        house.drop(f"{name}.jpg", BLURRED["blurred-2.jpg"])
        house.drop(f"{name}.MOV", movie)

    house.culld("once")

    assert {path.name for path in house.quarantine.glob("live*")} >= {"live.jpg", "live.MOV"}
    assert {path.name for path in house.inbox.glob("clip*")} == {"clip.jpg", "clip.MOV", "clip.jpg.xmp"}
    house.culld("restore", "--all")
    assert (house.inbox / "live.MOV").read_bytes() == live


@pytest.mark.slow
@pytest.mark.parametrize(("stacks", "moved"), [("best", set()), ("worst", {"b.dng", "b.jpg"})])
def test_a_jpeg_that_comes_after_its_raw_is_judged_with_it(house: House, stacks: str, moved: set[str]) -> None:
    """A card reader may be slow: the two are one shot all the same."""
    house.config.write_text(house.config.read_text() + f"  stack_verdict: {stacks}\n")
    sharp = factories.picture(3)
    house.drop("b.dng", raw_files.dng(sharp, preview=sharp))
    house.culld("once")
    house.drop("b.jpg", BLURRED["blurred-4.jpg"])

    house.culld("once")

    assert {path.name for path in house.quarantine.glob("b.*") if path.suffix in {".dng", ".jpg"}} == moved
    assert house.culld("log").count("b.dng, the same shot, is better") == (stacks == "best")


@pytest.mark.slow
def test_a_photo_with_edits_is_only_tagged(house: House) -> None:
    """By RawTherapee's file beside it; with the protection off that file is moved along and comes back."""
    house.drop("a.jpg", BLURRED["blurred-3.jpg"])
    house.drop("a.jpg.pp3", b"[Version]")
    house.culld("once")
    assert "it was edited in another program (a.jpg.pp3; policy.protect.edited)" in house.culld("log")

    house.config.write_text(house.config.read_text() + "  protect: {edited: false}\n")
    house.drop("b.jpg", BLURRED["blurred-4.jpg"])
    house.drop("b.jpg.pp3", b"[Version]")
    house.culld("once")

    assert house.photos(house.quarantine).keys() == {"b.jpg"}
    assert (house.quarantine / "b.jpg.pp3").exists()
    house.culld("restore", "--all")
    assert (house.inbox / "b.jpg.pp3").read_bytes() == b"[Version]"


@pytest.mark.slow
def test_with_untag_every_byte_comes_back(house: House) -> None:
    """Out of quarantine, and out of photos and sidecars; nothing is tagged a second time."""
    pictures = {name: BLURRED[name] for name in sorted(BLURRED)[:3]}
    pictures["picture.png"] = factories.encoded(factories.blurred(factories.picture(20)), "PNG")
    for name, data in pictures.items():
        house.drop(name, data)
    house.culld("once")
    assert len(list(house.quarantine.rglob("*.xmp"))) == 4

    house.culld("restore", "--untag", str(house.quarantine / "picture.png"))
    house.culld("restore", "--untag", "--all")

    left = {path.name: path.read_bytes() for path in house.inbox.glob("*") if path.is_file()}
    assert left == pictures
    house.culld("once")
    assert {path.name for path in house.inbox.glob("*") if path.is_file()} == set(pictures)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_loses_and_doubles_nothing(house: House) -> None:
    """SIGKILL in the middle of many photos, three times over; then a quiet run ends the work."""
    house.config.write_text(POLICY + "  brake: {max_share: never}\n")
    pictures = {}
    for i in range(60):
        image = factories.picture(100 + i, size=(640, 480))
        pictures[f"{i}.jpg"] = factories.encoded(factories.blurred(image) if i % 2 else image, quality=90)
    for name, data in pictures.items():
        house.drop(name, data)
    for round_ in range(1, 4):
        with house.daemon() as process:
            house.wait_until(lambda: len(house.photos(house.quarantine)) >= 6 * round_, "some progress")  # noqa: B023
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    house.culld("once")

    inbox, quarantine = house.photos(house.inbox), house.photos(house.quarantine)
    assert sorted([*inbox, *quarantine]) == sorted(pictures)
    assert inbox == {name: digest(data) for name, data in pictures.items() if name not in quarantine}
    house.culld("restore", "--all")
    assert sorted(house.photos(house.inbox)) == sorted(pictures)
    assert not list(house.folder.rglob(".culld-*.tmp"))


@pytest.mark.slow
def test_unreadable_files_stay_where_they_are(house: House) -> None:
    """A truncated photo and a text under a photo's name are reported, and touched by nothing."""
    bad = {"cut.jpg": SHARP["sharp-0.jpg"][:20_000], "text.jpg": b"hello", "empty.jpg": b""}
    for name, data in bad.items():
        house.drop(name, data)

    told = json.loads(house.culld("once", "--json", expect=1))

    assert told["unreadable"] == 3
    assert house.photos(house.inbox) == {name: digest(data) for name, data in bad.items()}
    assert "unreadable" in house.culld("log")


@pytest.mark.slow
def test_a_saved_policy_is_taken_over_and_a_broken_one_is_not(house: House) -> None:
    """In observe mode photos are only tagged; a policy with a mistake keeps the last good one."""
    house.config.write_text(house.config.read_text().replace("enforce", "observe"))
    with house.daemon():
        house.drop("a.jpg", BLURRED["blurred-0.jpg"])
        house.wait_until((house.inbox / "a.jpg.xmp").exists, "the tag")

        house.config.write_text(house.config.read_text().replace("observe", "enforc"))
        house.wait_until(lambda: "policy.mode" in house.log(), "the complaint")
        assert "policy.mode" in json.loads(house.culld("status", "--json"))["policy_problem"]

        house.config.write_text(house.config.read_text().replace("enforc", "enforce"))
        house.wait_until(lambda: json.loads(house.culld("status", "--json"))["policy_problem"] is None, "the repair")
        house.drop("b.jpg", BLURRED["blurred-1.jpg"])
        house.wait_until((house.quarantine / "b.jpg").exists, "the quarantine")
    assert (house.inbox / "a.jpg").exists()


KEYS = {
    "path",
    "blur",
    "under",
    "over",
    "missed_focus",
    "sharpness",
    "sharp_share",
    "faces",
    "verdict",
    "reason",
    "model",
}


@pytest.mark.slow
def test_score_only_reads(house: House) -> None:
    """It prints one JSON object a photo with the keys of the contract, and writes nothing anywhere."""
    house.drop("sharp.jpg", SHARP["sharp-0.jpg"])
    house.drop("blurred.jpg", BLURRED["blurred-0.jpg"])
    before = sorted(house.folder.rglob("*"))

    lines = [json.loads(line) for line in house.culld("score", "--json", str(house.inbox)).splitlines()]

    assert [set(line) for line in lines] == [KEYS] * 2
    assert [(Path(line["path"]).name, line["verdict"]) for line in lines] == [
        ("blurred.jpg", "quarantine"),
        ("sharp.jpg", "keep"),
    ]
    assert sorted(house.folder.rglob("*")) == before


@pytest.mark.slow
def test_a_second_daemon_refuses(house: House) -> None:
    """Two on one state folder would fight over the photos."""
    with house.daemon():
        house.wait_until((house.folder / "state").exists, "the start")
        house.wait_until(lambda: json.loads(house.culld("status", "--json"))["state"] == "running", "the start")

        house.culld("once", expect=3)
