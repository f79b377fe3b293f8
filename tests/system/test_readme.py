"""Every command and every YAML block of README.md and docs/ is run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import pytest

from culld.cli import build_parser
from culld.config import load_config
from culld.journal.file_state import FileState
from culld.records import Mode, PlanState
from harness import factories

REPO = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("culld")
README = REPO / "README.md"
DOCS = REPO / "docs"
PAGES = (README, *sorted(DOCS.glob("*.md")))
RUN_HERE = {
    "sh",
    "sh slim",
    "sh service",
    "sh machine",
    "sh train",
    "sh hours",
    "sh web",
    "sh api",
    "yaml",
    "yaml rules",
    "console",
}
# test_architecture.py, test_compare.py, test_enhance.py, test_score_clips.py, test_archive.py, test_container.py
CHECKED_ELSEWHERE = {"layers", "sh compare", "sh enhance", "sh clips", "sh archive", "sh container"}
SHOWN = {"text"}  # output of a command


def blocks(language: str, *pages: Path) -> list[str]:
    """Return the code blocks with this info string, of these pages or else of all."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [block for page in pages or PAGES for block in pattern.findall(page.read_text())]


def commands(language: str, *pages: Path) -> list[str]:
    """The commands of these blocks, each once, without comments."""
    lines = (line.split("  #")[0].strip() for block in blocks(language, *pages) for line in block.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a user with the README's policy at its default path."""
    config = tmp_path / ".config" / "culld" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(blocks("yaml", README)[0] + "settle: {quiet: 200ms}\n")
    (tmp_path / "Pictures" / "Import").mkdir(parents=True)
    return {"HOME": str(tmp_path), "PATH": f"{COMMAND.parent}:{os.environ['PATH']}"}


def test_every_code_block_is_one_that_a_test_runs() -> None:
    """A block with another info string would be an unchecked example."""
    for page in PAGES:
        marks = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)
        assert set(marks[::2]) <= RUN_HERE | CHECKED_ELSEWHERE | SHOWN, page.name
        assert set(marks[1::2]) <= {""}, page.name


def test_every_yaml_block_is_a_valid_configuration(tmp_path: Path) -> None:
    """Users copy the examples."""
    assert len(blocks("yaml", README)) == 1

    for number, block in enumerate(blocks("yaml")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        load_config(file, {"HOME": str(tmp_path)})


def test_a_place_beside_another_program_is_one_that_culld_advises(tmp_path: Path) -> None:
    """It only observes at first, and the quarantine lies outside of the watched folder, which the loader allows."""
    for block in blocks("yaml", DOCS / "placing.md", DOCS / "container.md"):
        file = tmp_path / "config.yaml"
        file.write_text(block)
        config = load_config(file, {"HOME": str(tmp_path)})
        assert config.policy.mode is Mode.OBSERVE
        assert not any(config.quarantine.is_relative_to(watch.path) for watch in config.watch)


def test_the_rules_of_the_policy_page_are_valid(tmp_path: Path) -> None:
    """They are added to the smallest configuration."""
    file = tmp_path / "config.yaml"
    (rules,) = blocks("yaml rules")
    file.write_text(blocks("yaml", README)[0].partition("policy:")[0] + rules)

    assert len(load_config(file, {"HOME": str(tmp_path)}).policy.rules) == 5


def shape(line: str) -> str:
    """A line of output without what differs from run to run: digests, scores, and how wide a table is."""
    return re.sub(r"\s+", " ", re.sub(r"\b[0-9a-f]{12}\b|\d+\.\d+", "#", line)).strip()


def agree(shown: Sequence[str], said: Sequence[str]) -> bool:
    """Return whether lines are as shown, where `...` stands for any lines, and within a line for anything."""
    if not shown:
        return not said
    if shown[0] == "...":
        return any(agree(shown[1:], said[skipped:]) for skipped in range(len(said) + 1))
    pattern = re.escape(shape(shown[0])).replace(r"\.\.\.", ".*")
    return bool(said) and bool(re.fullmatch(pattern, shape(said[0]))) and agree(shown[1:], said[1:])


@pytest.fixture
def photos(home: dict[str, str]) -> Path:
    """The watched folder with four blurred photos, of which the last has four stars, and two good ones."""
    folder = Path(home["HOME"]) / "Pictures" / "Import"
    for number in range(1, 7):
        picture = factories.picture(80 + number)
        data = factories.encoded(factories.blurred(picture) if number < 5 else picture, quality=92)
        (folder / f"IMG_{number}.jpg").write_bytes(data)
    (folder / "IMG_4.jpg.xmp").write_bytes(
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
    )
    return folder


def run_session(page: Path, home: dict[str, str]) -> None:
    """Run each command of the console block of a page as it stands, and compare the output with what is shown."""
    (session,) = blocks("console", page)
    for step in session.split("$ ")[1:]:
        command, *shown = step.splitlines()
        line = command.split("  #")[0]
        done = subprocess.run(line, shell=True, env=home, check=False, capture_output=True, text=True)  # noqa: S602
        assert done.returncode == 0, done.stdout + done.stderr
        assert agree(shown, done.stdout.splitlines()), f"{command}\n{done.stdout}"


@pytest.mark.slow
def test_the_first_week_is_as_the_policy_page_shows_it(home: dict[str, str], photos: Path) -> None:
    """From observe to enforce, each command as it stands, with the output that is shown, counts included."""
    config = Path(home["HOME"]) / ".config" / "culld" / "config.yaml"
    config.write_text(config.read_text().replace("enforce", "observe"))

    run_session(DOCS / "policy.md", home)

    assert {path.name for path in (photos.parent / "Quarantine").glob("*.jpg")} == {"IMG_3.jpg"}
    assert (photos / "IMG_4.jpg").exists()


@pytest.mark.slow
def test_the_first_five_minutes_are_as_the_readme_shows_them(home: dict[str, str], photos: Path) -> None:
    """With the README's policy; the restored photo is back, and the other rejects stay in quarantine."""
    run_session(README, home)

    assert {path.name for path in (photos.parent / "Quarantine").glob("*.jpg")} == {"IMG_2.jpg", "IMG_3.jpg"}
    assert (photos / "IMG_1.jpg").exists()


def test_no_other_page_shows_a_session() -> None:
    """Every console block is run by one of the two tests above."""
    assert len(blocks("console")) == len(blocks("console", README, DOCS / "policy.md")) == 2


@contextmanager
def review_page(line: str, home: dict[str, str]) -> Iterator[str]:
    """Run a command that serves the review page; give the address that it prints, and end it by Ctrl-C."""
    words = [COMMAND, *shlex.split(line)[1:]]
    process = subprocess.Popen(words, env=home | {"BROWSER": "true"}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield next((each.strip() for each in process.stdout if "#login=" in each), "")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode in {0, 130}  # 130: it was interrupted before it began to serve


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_the_review_page_is_served_as_its_page_says(home: dict[str, str]) -> None:
    """Each command as it stands: on this machine, with a token for programs, and with a password for others."""
    config = Path(home["HOME"]) / ".config" / "culld" / "config.yaml"
    subprocess.run([COMMAND, "once"], env=home, check=True, capture_output=True)
    first, password, elsewhere = commands("sh web")

    with review_page(first, home) as address:
        assert address.startswith("http://127.0.0.1:8466/#login=")
        if shutil.which("curl") is not None:
            script = "set -e\n" + "\n".join(commands("sh api"))
            found = subprocess.run(["sh", "-c", script], env=home, check=True, capture_output=True, text=True).stdout
            assert '"daemon":' in found
            assert '"IMG_1.jpg"' in found
    subprocess.run(
        [COMMAND, *shlex.split(password)[1:]],
        env=home,
        input="a long password\n",
        text=True,
        check=True,
        capture_output=True,
    )
    config.write_text(config.read_text() + "web: {hosts: [nas.local]}\n")
    with review_page(elsewhere, home) as address:
        assert "#login=" in address


@pytest.mark.parametrize(("title", "states"), [("States of a plan", PlanState), ("States of a file", FileState)])
def test_the_tables_of_states_name_every_state_of_the_journal(title: str, states: type[StrEnum]) -> None:
    """And no other: the tables have the states of the code."""
    section = (DOCS / "undo.md").read_text().partition(f"### {title}\n")[2].partition("\n#")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(states)


@pytest.mark.parametrize("line", [line for line in commands("sh") if line.startswith("make")])
def test_every_make_command_exists(line: str) -> None:
    """`make -n` knows the target (the suite itself is what `make test` runs)."""
    subprocess.run([*shlex.split(line), "-n"], cwd=REPO, check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in commands("sh") if line.startswith("culld") and line != "culld run"])
def test_every_culld_command_runs(line: str, home: dict[str, str]) -> None:
    """Each is run in a home with a quarantined photo, and ends well."""
    folder = Path(home["HOME"]) / "Pictures"
    data = factories.encoded(factories.blurred(factories.picture(1)), quality=92)
    (folder / "Import" / "IMG_1.jpg").write_bytes(data)
    (folder / "Import" / "good.jpg").write_bytes(factories.encoded(factories.picture(2), quality=92))
    subprocess.run([COMMAND, "once"], env=home, check=True, capture_output=True)
    assert (folder / "Quarantine" / "IMG_1.jpg").exists()

    done = subprocess.run(  # noqa: S602 (in a folder where a plot may be left)
        line,
        shell=True,
        env=home,
        cwd=home["HOME"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert (folder / "Import" / "IMG_1.jpg").exists() == line.startswith("culld restore")


@pytest.mark.slow
def test_culld_run_starts_and_stops(home: dict[str, str]) -> None:
    """The daemon starts with the README's policy and ends on SIGTERM."""
    assert "culld run" in commands("sh")
    process = subprocess.Popen([COMMAND, "run"], env=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    status = [COMMAND, "status"]
    deadline = time.monotonic() + 40
    while "running" not in subprocess.run(status, env=home, check=False, capture_output=True, text=True).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.2)

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0


def test_the_service_is_installed_as_the_readme_says(home: dict[str, str], tmp_path: Path) -> None:
    """The unit is written for this culld; a fake systemctl records its arguments."""
    stand_in = tmp_path / "bin" / "systemctl"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n')
    stand_in.chmod(0o755)
    environment = home | {"PATH": f"{stand_in.parent}:{home['PATH']}"}
    install, status, uninstall = commands("sh service")
    unit = tmp_path / ".config" / "systemd" / "user" / "culld.service"

    subprocess.run(["sh", "-c", f"{install} --dry-run"], env=environment, check=True)
    assert not unit.exists()
    for line in (install, status):
        subprocess.run(["sh", "-c", line], env=environment, check=True)

    config = tmp_path / ".config" / "culld" / "config.yaml"
    assert f"\nExecStart={COMMAND} run --config {config}\n" in unit.read_text()
    told = ["--user daemon-reload", "--user enable --now culld", "--user --no-pager --full status culld"]
    assert (tmp_path / "told").read_text().splitlines() == told
    subprocess.run(["sh", "-c", uninstall], env=environment, check=True)
    assert not unit.exists()
    assert config.exists()


def test_the_machine_test_does_what_the_service_page_says() -> None:
    """Each command of the section on the whole machine is one that the booted machine is given."""
    text = (REPO / "tests" / "system" / "test_service.py").read_text()

    for line in commands("sh machine"):
        words = shlex.split(line)
        given = ", ".join(["COMMAND" if words[0] == "culld" else f'"{words[0]}"', *(f'"{word}"' for word in words[1:])])
        assert f"machine, {given}" in text or f"machine.run({given})" in text, given


@pytest.mark.parametrize("line", commands("sh hours"))
def test_a_command_that_needs_photographs_and_time_is_one_of_culld(line: str) -> None:
    """Its options exist, and so do the files of the project that it names, but for a model that is still to be made."""
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        assert f"\n{words[1]}:" in (REPO / "Makefile").read_text()
        return
    assert words[0] == "culld"
    build_parser([words[1]]).parse_args(words[1:])
    named = [word for word in words if word.startswith("models/") and word != "models/new"]
    assert all((REPO / word).exists() for word in named)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_model_is_trained_as_the_model_page_says(tmp_path: Path) -> None:
    """With a dozen drawn pictures and no pretrained weights, the command of docs/model.md makes a model with a card."""
    (line,) = commands("sh train")
    photos = tmp_path / "photos"
    photos.mkdir()
    rows = ["file,width,height,tags,source,licence"]
    for number in range(30):
        (photos / f"{number}.jpg").write_bytes(factories.encoded(factories.picture(number, size=(640, 480))))
        rows.append(f"{number}.jpg,640,480,,drawn,CC0")
    (photos / "index.csv").write_text("\n".join(rows) + "\n")
    words = [word.replace("PHOTOS", str(photos)) for word in shlex.split(line)[1:]]
    at = words.index("--weights")
    del words[at : at + 2]

    subprocess.run(
        [COMMAND, *words, "--seed", "2", "--out", tmp_path / "model", "--cache", tmp_path / "cache"],
        cwd=REPO,
        check=True,
        capture_output=True,
    )

    assert {path.name for path in (tmp_path / "model").iterdir()} >= {"model.tflite", "card.json"}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_slim_install_works_without_tensorflow(tmp_path: Path) -> None:
    """The commands of the README give a culld that judges photos, satisfies `pip check`, and has no TensorFlow."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "config.example.yaml"):
        shutil.copy(REPO / name, tmp_path)
    for name in ("daemon", "locks", "models", "systemd"):
        shutil.copytree(REPO / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    script = "set -e\n" + "\n".join(commands("sh slim"))

    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "in" / "a.jpg").write_bytes(factories.encoded(factories.blurred(factories.picture(1))))
    for source in ("daemon", "models"):  # the installed culld must not need the source tree
        shutil.rmtree(tmp_path / source)
    binaries = tmp_path / "slim" / "bin"
    subprocess.run([binaries / "pip", "check"], check=True, capture_output=True)
    assert (
        subprocess.run([binaries / "python", "-c", "import tensorflow"], check=False, capture_output=True).returncode
        == 1
    )
    scored = subprocess.run(
        [binaries / "culld", "score", "--config", "config.yaml", "in"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert scored.stdout.startswith("quarantine")
