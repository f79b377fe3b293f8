"""The manual pages and the completion of shells, made from the commands themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from culld.cli import build_parser, main
from culld.cli.manual import commands, configuration
from culld.config import Config
from culld.config.messages import known_keys

EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.yaml"


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


@pytest.mark.parametrize("page", [commands(build_parser()), configuration(EXAMPLE.read_text())])
def test_the_formatter_has_nothing_to_say_against_a_page(page: list[str]) -> None:
    """No line of ours is taken for a request."""
    if shutil.which("groff") is None:
        pytest.skip("needs groff (apt-get install groff-base)")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"], input="\n".join(page), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell that is here checks it as well."""
    assert main(["completion", shell]) == 0

    script = capsys.readouterr().out
    for word in ("culld", "restore", "simulate"):
        assert word in script
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
