"""`culld enhance` as a command, on photos that the tests draw."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from harness import factories, scenes

COMMAND = Path(sys.executable).with_name("culld")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "enhance.md"
SMALL = (720, 480)
DARK = scenes.jpeg(scenes.Scene(3, "under", size=SMALL))
SQUEEZED = scenes.jpeg(scenes.Scene(4, size=SMALL), quality=10)
GOOD = scenes.jpeg(scenes.Scene(4, size=SMALL), quality=96)
KEYS = {"path", "copy", "repair", "reason", "before", "after", "structure", "estimated_quality", "gain_db", "models"}


def culld(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run culld in a folder, without a configuration unless the arguments name one."""
    words = [COMMAND, *arguments]
    return subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, env={"HOME": str(folder)})


def hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a folder, hidden ones among them."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def documented() -> list[str]:
    """The commands of docs/enhance.md, without comments."""
    (block,) = re.findall(r"^```sh enhance\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [line.split("  #")[0].strip() for line in block.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("line", documented())
def test_the_commands_of_the_page_run(line: str, tmp_path: Path) -> None:
    """Each as it stands."""
    (tmp_path / "IMG_1.jpg").write_bytes(DARK)
    (tmp_path / "IMG_2.jpg").write_bytes(SQUEEZED)

    done = culld(tmp_path, *shlex.split(line)[1:])

    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.slow
def test_copies_are_written_beside_photos_that_stay_as_they_are(tmp_path: Path) -> None:
    """Each with its reason; a second run changes nothing, and a folder is taken without its copies."""
    for name, data in (("dark.jpg", DARK), ("small.jpg", SQUEEZED), ("good.jpg", GOOD)):
        (tmp_path / name).write_bytes(data)
    before = hashes(tmp_path)

    done = culld(tmp_path, "enhance", "--json", "dark.jpg", "small.jpg", "good.jpg")

    assert done.returncode == 0, done.stderr
    dark, small, good = map(json.loads, done.stdout.splitlines())
    assert dark.keys() == small.keys() == good.keys() == KEYS
    assert (dark["path"], dark["copy"], dark["repair"]) == ("dark.jpg", "dark.enhanced.jpg", "exposure")
    assert (small["copy"], small["repair"], small["estimated_quality"]) == ("small.enhanced.jpg", "jpeg", 10)
    assert (good["copy"], good["repair"], good["after"]) == (None, None, None)
    assert dark["before"]["under"] > 0.6 > dark["after"]["under"]
    after = hashes(tmp_path)
    assert after.keys() - before.keys() == {"dark.enhanced.jpg", "small.enhanced.jpg"}
    assert {name: after[name] for name in before} == before

    again = culld(tmp_path, "enhance", ".")

    assert again.returncode == 0, again.stderr
    assert "no copy  dark.jpg: dark.enhanced.jpg is there already; move it away to get a new copy" in again.stdout
    assert len(again.stdout.splitlines()) == 3
    assert hashes(tmp_path) == after


@pytest.mark.slow
def test_failures_are_told_in_one_line_each(tmp_path: Path) -> None:
    """Broken and missing photos, a name that is a copy's, an unknown repair."""
    (tmp_path / "cut.jpg").write_bytes(DARK[: len(DARK) // 2])
    (tmp_path / "x.enhanced.jpg").write_bytes(DARK)
    (tmp_path / "huge.png").write_bytes(factories.encoded(Image.new("1", (20000, 16000)), "PNG"))

    for code, arguments, words in (
        (1, ["cut.jpg"], "failed   cut.jpg: "),
        (1, ["none.jpg"], "culld: none.jpg does not exist"),
        (1, ["huge.png"], "more than limits.pixels allows"),
        (0, ["x.enhanced.jpg"], "no copy  x.enhanced.jpg: it is a repaired copy itself"),
        (2, ["cut.jpg", "--repair", "none"], "invalid choice"),
        (2, ["cut.jpg", "--config", "none.yaml"], "none.yaml"),
    ):
        done = culld(tmp_path, "enhance", *arguments)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert words in said
        assert "Traceback" not in said


@pytest.mark.slow
def test_the_daemon_passes_over_copies_also_when_their_photo_was_moved_away(tmp_path: Path) -> None:
    """A blurred and dark photo goes to quarantine; its copy stays, and is neither tagged nor moved."""
    inbox = tmp_path / "in"
    inbox.mkdir()
    dark = scenes.picture(scenes.Scene(3, "under", size=SMALL))
    (inbox / "a.jpg").write_bytes(factories.encoded(dark, quality=92))
    assert culld(tmp_path, "enhance", "in/a.jpg").returncode == 0
    copy = hashes(inbox)["a.enhanced.jpg"]
    config = tmp_path / "culld.yaml"
    config.write_text(
        "watch: [{path: in}]\nquarantine: out\nstate: state\nsettle: {quiet: 200ms}\n"
        "policy: {mode: enforce, defects: {under: {tag: 0.5, reject: 0.6}}}\n"
    )

    once = culld(tmp_path, "once", "--config", "culld.yaml", "--json")
    again = culld(tmp_path, "once", "--config", "culld.yaml", "--rejudge", "--json")

    assert once.returncode == again.returncode == 0, once.stderr + again.stderr
    assert not (inbox / "a.jpg").exists(), once.stdout
    assert hashes(inbox) == {"a.enhanced.jpg": copy}
    scored = culld(tmp_path, "score", "in")
    assert scored.stdout == "no photo to score\n"
    assert "a.enhanced.jpg" in culld(tmp_path, "score", "in/a.enhanced.jpg").stdout


@pytest.mark.slow
def test_kills_of_the_command_leave_no_half_copy(tmp_path: Path) -> None:
    """From its start to its end; a later run completes what is missing."""
    (tmp_path / "a.jpg").write_bytes(DARK)
    begin = time.monotonic()
    assert culld(tmp_path, "enhance", "a.jpg").returncode == 0
    whole, took_s = (tmp_path / "a.enhanced.jpg").read_bytes(), time.monotonic() - begin

    for share in (0.5, 0.8, 0.9, 0.95, 1.0):
        (tmp_path / "a.enhanced.jpg").unlink(missing_ok=True)
        process = subprocess.Popen(
            [COMMAND, "enhance", "a.jpg"], cwd=tmp_path, env={"HOME": str(tmp_path)}, stdout=subprocess.DEVNULL
        )
        time.sleep(share * took_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / "a.jpg").read_bytes() == DARK
        if (tmp_path / "a.enhanced.jpg").exists():
            assert (tmp_path / "a.enhanced.jpg").read_bytes() == whole
    names = [path.name for path in tmp_path.iterdir()]
    assert all(name.startswith(".culld-") for name in names if not name.endswith(".jpg"))
    assert culld(tmp_path, "enhance", "a.jpg").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.jpg", "a.enhanced.jpg"}


@pytest.mark.slow
def test_results_go_to_their_file_while_the_bar_is_on_the_terminal(tmp_path: Path) -> None:
    """The bar is drawn on standard error only."""
    (tmp_path / "a.jpg").write_bytes(DARK)
    terminal, other_end = os.openpty()
    try:
        with (tmp_path / "out.json").open("wb") as out:
            words = [COMMAND, "enhance", "a.jpg", "--json"]
            done = subprocess.run(
                words, cwd=tmp_path, env={"HOME": str(tmp_path)}, stdout=out, stderr=other_end, check=False
            )
        shown = os.read(terminal, 1 << 16)
    finally:
        os.close(other_end)
        os.close(terminal)

    assert done.returncode == 0, shown
    assert json.loads((tmp_path / "out.json").read_text())["copy"] == "a.enhanced.jpg"
    assert b"repairing" in shown
    assert b"a.enhanced.jpg" not in shown
