"""`culld archive score` in whole processes with Ray: killed, started again, and compared with `culld score`."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from culld.app.startup import open_journal_readonly
from culld.archive.nodes.placement import MAX_LOSSES
from culld.archive.parquet.folder import ArchiveFolder
from culld.cli import build_parser, exit_codes
from harness import factories, raw_files
from harness.archives import rows_of
from harness.process_tree import below, processes

pytest.importorskip("ray")
pytest.importorskip("pyarrow")

REPO = Path(__file__).resolve().parents[2]
CULLD = Path(sys.executable).with_name("culld")
COUNT = 40
SHARPNESS = ("--sharpness", "all")  # as in `culld score`
SAME = {"blur": "blur", "under": "under", "over": "over", "missed_focus": "focus", "sharpness": "sharpness",
        "sharp_share": "sharp_share"}  # fmt: skip


def until(holds: Callable[[], bool]) -> None:
    """Wait; the time limit of the test ends a wait in vain."""
    while not holds():
        time.sleep(0.02)


def listening(pids: set[int]) -> set[str]:
    """The addresses at which processes listen, in hexadecimal as the kernel prints them."""
    sockets = set()
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                sockets |= set(re.findall(r"socket:\[(\d+)\]", str(file.readlink())))
            except OSError:  # closed meanwhile
                continue
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {line[1].partition(":")[0] for line in lines if line[3] == "0A" and line[9] in sockets}


@dataclass
class Run:
    """A run in a process of its own."""

    process: subprocess.Popen[str]
    out: Path

    @classmethod
    def start(cls, photos: Path, out: Path, size: int = 2) -> Run:
        """Start it with one actor and small shards."""
        command = [
            CULLD,
            "archive",
            "score",
            photos,
            "--out",
            out,
            "--workers=1",
            f"--shard-size={size}",
            "--json",
            *SHARPNESS,
        ]
        return cls(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), out)

    def shards(self) -> int:
        """The number of shards that are committed."""
        return len(ArchiveFolder(self.out).committed(1))

    def wait_for(self, shards: int) -> None:
        """Wait until so many are committed; the run must go on meanwhile."""
        until(lambda: self.shards() >= shards or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()

    def actors(self) -> list[int]:
        """The process ids of the actors."""
        return [pid for pid, command in below(self.process.pid).items() if command.startswith("ray::ShardActor")]


@dataclass
class Story:
    """What two runs left, of which the first was killed."""

    photos: Path
    out: Path
    before: dict[str, int]
    addresses: set[str]
    kept: int
    code: int
    counts: dict[str, int]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Kill the first run while it scores, and the worker and the actor of the second one."""
    folder = tmp_path_factory.mktemp("archive")
    photos, out = folder / "photos", folder / "out"
    _fill(photos)
    before = {str(path): path.stat().st_mtime_ns for path in photos.rglob("*")}

    first = Run.start(photos, out)
    first.wait_for(2)
    started = below(first.process.pid)
    addresses = listening({first.process.pid, *started})
    first.process.kill()
    first.process.communicate()
    ours = [pid for pid, command in started.items() if "ShardActor" in command or "spawn_main" in command]
    until(lambda: all(processes().get(pid, (0, "Z", ""))[1] == "Z" for pid in ours))
    kept = first.shards()

    second = Run.start(photos, out)
    second.wait_for(kept + 1)
    (actor,) = second.actors()
    for worker in [pid for pid, command in below(actor).items() if "spawn_main" in command]:
        os.kill(worker, signal.SIGKILL)
    second.wait_for(second.shards() + 1)
    os.kill(actor, signal.SIGKILL)
    printed, _ = second.process.communicate()
    return Story(photos, out, before, addresses, kept, second.process.returncode, json.loads(printed))


def _fill(photos: Path) -> None:
    (photos / "trip").mkdir(parents=True)
    for number in range(COUNT):
        (photos / f"{number:02}.jpg").write_bytes(factories.encoded(factories.picture(number, (640, 480))))
    picture = factories.picture(99, (320, 240))
    (photos / "trip" / "raw.dng").write_bytes(raw_files.dng(picture, preview=picture))
    (photos / "trip" / "raw.jpg").write_bytes(factories.encoded(picture))
    (photos / "trip" / "raw.xmp").write_bytes(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    (photos / "trip" / "one.png").write_bytes(factories.encoded(picture, "PNG"))
    (photos / "trip" / "two.webp").write_bytes(factories.encoded(picture, "WEBP"))
    (photos / "trip" / "cut.jpg").write_bytes(factories.encoded(picture)[:2000])


def test_after_three_kills_each_photo_has_one_row(story: Story) -> None:
    """The driver, a worker and an actor were killed. The rows of the first run were kept."""
    paths = Counter(str(row["path"]) for row in rows_of(story.out))

    assert set(paths) == {path for path in story.before if path.endswith((".jpg", ".dng", ".png", ".webp"))}
    assert set(paths.values()) == {1}
    assert story.counts["kept"] >= 2 * story.kept - 1
    assert story.counts["losses"] >= 1
    assert (story.counts["unreadable"], story.counts["failed"], story.counts["lost"]) == (1, 0, 0)
    assert story.code == exit_codes.SOME_FAILED


def test_the_rows_hold_what_culld_score_prints(story: Story) -> None:
    """All scores, the sharpness, the number of faces, the model, and why a photo cannot be read."""
    done = subprocess.run([CULLD, "score", "--json", story.photos], capture_output=True, text=True, check=False)
    printed = {each["path"]: each for each in map(json.loads, done.stdout.splitlines())}

    rows = rows_of(story.out)
    assert len(printed) == len(rows)
    for row in rows:
        expected = printed[row["path"]]
        found = {name: None if row[column] is None else round(row[column], 4) for name, column in SAME.items()}
        assert found == {name: expected[name] for name in SAME}
        assert (row["model"], row["faces"] or 0) == (expected["model"], len(expected["faces"]))
        assert row["status"] == "scored" or (row["error"] and row["error"] in expected["reason"])


def test_the_files_of_a_shot_are_listed_and_none_is_changed(story: Story) -> None:
    """Nothing is written beside photos; no unfinished file is left in the archive."""
    (raw,) = [row for row in rows_of(story.out) if str(row["path"]).endswith(".dng")]

    assert (raw["siblings"], raw["sidecars"]) == (["raw.jpg"], ["raw.xmp"])
    assert {str(path): path.stat().st_mtime_ns for path in story.photos.rglob("*")} == story.before
    assert list(story.out.rglob(".*")) == []


def test_no_other_machine_can_reach_ray(story: Story) -> None:
    """All its servers listen on 127.0.0.1, by IPv4 or as an IPv6 address."""
    assert story.addresses
    assert story.addresses <= {"0100007F", "0000000000000000FFFF00000100007F"}


def test_a_shard_that_ends_three_actors_ends_the_run_with_a_sentence(story: Story, tmp_path: Path) -> None:
    """Nothing of Ray is printed, and no half of the shard is left."""
    run = Run.start(story.photos, tmp_path / "out", 1000)
    killed: set[int] = set()
    while run.process.poll() is None:
        for pid, command in below(run.process.pid).items():
            if command.startswith("ray::ShardActor.score") and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)

    printed, sentence = run.process.communicate()
    assert (run.process.returncode, printed, len(killed)) == (exit_codes.SYSTEM_FAULT, "", MAX_LOSSES)
    assert sentence.startswith("culld: shard 0 ended 3 actors; is there too little memory?")
    assert list((tmp_path / "out").rglob("shard-*")) == []


def test_a_third_run_has_nothing_to_do(story: Story) -> None:
    """It does not start Ray, and writes nothing: the shards of the scan are joined already."""
    before = ArchiveFolder(story.out).rows()
    assert len([file for file in before if file.name.startswith("shard-")]) == 1
    done = subprocess.run(
        [CULLD, "archive", "score", story.photos, "--out", story.out, *SHARPNESS],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (exit_codes.FINE, "nothing new\n", "")
    assert ArchiveFolder(story.out).rows() == before


def test_a_simulation_says_what_culld_once_decides(story: Story, tmp_path: Path) -> None:
    """Of the same photos under the same policy, which moves and tags nothing."""
    file = tmp_path / "policy.yaml"
    file.write_text(
        f"watch: [{{path: {story.photos}}}]\nquarantine: {tmp_path}/q\nstate: {tmp_path}/state\n"
        "tags: {embed: never, sidecar: never}\nsettle: {quiet: 100ms}\n"
        "policy: {mode: observe, brake: {max_share: never}, protect: {smaller_than: never},"
        " defects: {blur: {tag: 0.001}, under: {tag: 0.001}, over: {tag: 0.001}}, rules: ["
        """{name: odd, when: "name in ('01.jpg', '03.jpg', 'raw.dng', 'raw.jpg')", action: quarantine},"""
        """{name: drawn, when: "extension in ('png', 'webp') and longest < 400", action: keep}]}\n"""
    )
    subprocess.run([CULLD, "once", "--config", file], capture_output=True, check=False)
    with open_journal_readonly(tmp_path / "state") as journal:
        decided = list(journal.latest_decisions(None))

    command = [CULLD, "archive", "simulate", file, story.out, "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    names = {"keep": "kept", "tag": "tagged", "unreadable": "unreadable"}
    wanted = Counter("quarantined" if each.would_reject else names[each.verdict] for each in decided)
    assert found["photos"] == len(decided) == len(rows_of(story.out))
    assert {name: number for name, number in found["counts"].items() if number} == wanted
    assert wanted.keys() >= {"quarantined", "kept", "unreadable"}
    rules = Counter(each.rule for each in decided if each.rule)
    assert {name: sum(group["counts"].values()) for name, group in found["groups"]["rule"].items()} == rules


def test_the_commands_of_the_page_can_be_parsed() -> None:
    """All but that of pip."""
    page = (REPO / "docs" / "archive.md").read_text()
    blocks = re.findall(r"^```sh archive\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("culld ")]

    assert any(line.startswith("culld archive score ") for line in lines)
    for line in lines:
        assert build_parser().parse_args(shlex.split(line, comments=True)[1:]).module
