"""`culld init` as a new user meets it: on a terminal of 80 columns, and then the commands that it prints."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from harness import factories
from harness.daemon_process import COMMAND
from harness.users import AS_ANY_USER, needs_setpriv

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of a new user, with one blurred photo in ~/Pictures/Import."""
    folder = tmp_path / "Pictures" / "Import"
    folder.mkdir(parents=True)
    (folder / "IMG_1.jpg").write_bytes(factories.encoded(factories.blurred(factories.picture(81)), quality=92))
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    """The variables of that user."""
    return {"HOME": str(home), "PATH": f"{COMMAND.parent}:{os.environ['PATH']}", "TERM": "xterm"}


def on_terminal(home: Path, *answers: str) -> str:
    """Run `culld init` on a terminal of 80 columns, answer its questions, and return what stands on it at the end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [COMMAND, "init"], env=environment(home), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    left = list(answers)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
            if left and shown.endswith(b": "):
                os.write(ours, f"{left.pop(0)}\n".encode())
    except OSError:  # the last process has closed the terminal
        pass
    finally:
        os.close(ours)
    assert process.wait(30) == 0, shown.decode()
    return shown.decode().replace("\r\n", "\n")


def test_the_printed_commands_judge_the_photos_of_the_named_folder(home: Path) -> None:
    """The home folder is refused; then Enter takes the folder that is suggested; no line is wider than the terminal."""
    shown = on_terminal(home, "~", "", "")

    assert "is or holds your home folder" in " ".join(shown.split())
    assert [line for line in shown.splitlines() if len(line) > 80 and str(home) not in line] == []
    commands = re.findall(r"^  (culld (?:once|report)) ", shown, re.MULTILINE)
    said = [
        subprocess.run(command.split(), env=environment(home), check=True, capture_output=True, text=True).stdout
        for command in commands
    ]
    assert said[0] == "1 tagged\n"
    assert said[1].startswith("decisions: 0 keep, 1 tag, 0 quarantine, 0 unreadable\n1 more matched the reject rules")
    assert (home / "Pictures" / "Import" / "IMG_1.jpg").exists()


@needs_setpriv
def test_a_folder_that_is_closed_to_the_user_is_remarked(home: Path) -> None:
    """With the command that grants it; nothing is written without --yes."""
    folder = home / "Pictures" / "Import"
    folder.chmod(0o555)

    done = subprocess.run(
        [*AS_ANY_USER, COMMAND, "init", folder], env=environment(home), check=False, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "cannot be written to by you" in " ".join(done.stdout.split())
    assert not (home / ".config").exists()
