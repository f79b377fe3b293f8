"""The manual pages and the completion of shells, made from the commands themselves."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from culld.cli import build_parser, main
from culld.cli.manual import EXAMPLES, commands, configuration
from culld.config import Config
from culld.config.messages import known_keys

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config.example.yaml"


def test_every_command_and_option_is_in_the_manual() -> None:
    """With its help."""
    page = "\n".join(commands(build_parser()))

    for expected in (".SS culld run", ".SS culld policy simulate", "\\fB\\-\\-untag\\fR", ".SS culld service install"):
        assert expected in page
    assert "exit codes" not in page


def test_every_key_of_the_configuration_is_in_its_page() -> None:
    """The keys of a rule are in a comment, since by default there is none."""
    page = "\n".join(configuration(EXAMPLE.read_text()))

    assert [key for key in known_keys(Config) if f"{key.rpartition('.')[2].removesuffix('[]')}:" not in page] == []


def test_the_keys_of_the_configuration_keep_their_nesting() -> None:
    """Those of an example in a comment, too."""
    page = "\n".join(configuration(EXAMPLE.read_text())).replace("\\-", "-")

    assert "\n\\fBwatch:\\fR\n\\fB  - path: ~/Pictures/Import\\fR\n" in page
    assert "\n\\fB  - name: grain is fine at night\\fR\n\\fB    when: blur > 0.9" in page


def test_every_example_of_the_manual_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The parser takes it."""
    for example in EXAMPLES:
        build_parser().parse_args(shlex.split(example)[1:])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("page", [commands(build_parser()), configuration(EXAMPLE.read_text())])
def test_the_formatter_gives_no_warning_about_a_page(page: list[str]) -> None:
    """No line of ours is taken for a request."""
    if shutil.which("groff") is None:
        pytest.skip("needs groff (apt-get install groff-base)")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"], input="\n".join(page), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_wheel_brings_both_pages(tmp_path: Path) -> None:
    """Where `man` looks for them: beside the folder of the program, under share/man."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("culld-*.whl")

    with zipfile.ZipFile(wheel) as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist() if "/share/man/" in name}

    assert {name.partition("/data/")[2] for name in pages} == {
        "share/man/man1/culld.1",
        "share/man/man5/culld.yaml.5",
    }
    assert sorted(pages.values()) == sorted(
        "\n".join([*page, ""]) for page in (commands(build_parser()), configuration(EXAMPLE.read_text()))
    )


def test_the_pages_are_made_without_any_other_package() -> None:
    """A build in isolation has hatchling alone."""
    script = "import sys; sys.path.insert(0, 'daemon'); from culld.cli import build_parser, manual;"
    script += "print(len(list(manual.commands(build_parser()))))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert int(done.stdout) > 50


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell that is here checks it as well."""
    assert main(["completion", shell]) == 0

    script = capsys.readouterr().out
    for word in ("culld", "restore", "simulate"):
        assert word in script
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
