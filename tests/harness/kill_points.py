"""Rejects, replays and restores one stack of photos in processes that are killed at their Nth change of a file.

As a program (`PROGRAM FOLDER QUARANTINE ACTION`) it carries out one action once, for a tracer to kill it;
with ACTION `sweep-reject` or `sweep-restore`, and a step, a whole sweep.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from culld.journal.store import SqliteJournal
from culld.quarantine.apply import PlanApplier
from culld.quarantine.replay import replay
from culld.quarantine.restore import Restorer, restore
from culld.quarantine.selection import Selection
from culld.records import Plan, RootedPath
from harness import quarantined
from harness.fakes import FakeClock

PHOTO = b"\xff\xd8" + bytes(range(256)) * 40
SIDECAR = b"<x:xmpmeta/>"
PROGRAM = (
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\nfrom harness.kill_points import main; main()",
)
CHANGES = {"os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.chmod", "os.utime", "culld.rename"}


def tagged(data: bytes) -> bytes:
    """The bytes after tagging."""
    return data[:2] + quarantined.TAG + data[2:]


@dataclass(frozen=True)
class Scene:
    """A watched folder with a photo and a sidecar, a quarantine, and a journal."""

    folder: Path
    quarantine: Path

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.folder / "inbox"

    @property
    def photo(self) -> RootedPath:
        """Where the photo belongs."""
        return RootedPath(self.inbox, Path("2026/a.jpg"))

    def journal(self) -> SqliteJournal:
        """The journal, open."""
        return SqliteJournal.open(self.folder / "journal.sqlite", FakeClock())

    def build(self) -> Scene:
        """Put everything in its place."""
        self.quarantine.mkdir(parents=True)
        quarantined.put(self.photo, PHOTO)
        quarantined.put(self.photo.beside("a.xmp"), SIDECAR)
        self.journal().close()
        return self

    def plan(self) -> Plan:
        """The plan to tag photo and sidecar, to make another sidecar, and to move all three."""
        sidecar = self.photo.beside("a.xmp")
        rewrites = [quarantined.tagging(place) for place in (self.photo.beside("a.jpg.xmp"), sidecar, self.photo)]
        return quarantined.rejection(quarantined.stack(self.photo, sidecar), self.quarantine, *rewrites)


def reject(scene: Scene) -> None:
    """Carry out the plan as the pipeline does."""
    plan = scene.plan()
    with scene.journal() as journal, journal.intend([plan]) as intent:
        intent.close(PlanApplier().apply(plan))


def bring_back(scene: Scene) -> None:
    """Restore all photos, as `culld restore --all` does."""
    with scene.journal() as journal:
        restorer = Restorer([scene.inbox], journal, quarantined.nothing_of_culld)
        list(restore(scene.quarantine, Selection(everything=True), restorer))


def recover(scene: Scene) -> None:
    """Recover, as a start of the daemon does."""
    with scene.journal() as journal:
        replay(journal)


ACTIONS = {"reject": reject, "restore": bring_back, "replay": recover}


Place = TypeVar("Place")


def killed_at(nth: int, action: Callable[[Place], None], scene: Place) -> bool:
    """Carry out an action in a process that dies right before its nth change of a file; False if it ended before."""
    child = os.fork()
    if child == 0:
        _die_at(nth)
        action(scene)
        os._exit(0)
    return _is_killed(child)


def killed_in_journal(nth: int, action: Callable[[Callable[[str], None]], object]) -> bool:
    """Act in a process that dies right before its nth change of a file or transaction; False if it ended before.

    The action gets the function to call before each statement of SQL.
    """
    child = os.fork()
    if child == 0:
        step = _die_at(nth)
        action(lambda statement: step() if statement.startswith("BEGIN") else None)
        os._exit(0)
    return _is_killed(child)


def _is_killed(child: int) -> bool:
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _die_at(nth: int) -> Callable[[], None]:
    left = nth

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, args: tuple[object, ...]) -> None:
        if event in CHANGES or (event == "open" and isinstance(args[2], int) and args[2] & os.O_CREAT):
            step()

    sys.addaudithook(watch)
    return step


def sweep(folder: Path, quarantine: Path, action: Callable[[Scene], None], step: int) -> tuple[int, int]:
    """Carry out an action, killing it at every change in turn, then put things right, killing that as well.

    `action` is `reject`, which a replay puts right, or `bring_back`, which is put right by doing it again. The second
    kill is at every change with `step` 1, at every third with 3. Gives the number of kills of the action, and of what
    puts it right.
    """
    kills = repairs = 0
    for first in count(1):
        for second in count(1 + first % step, step):
            scene = Scene(folder / f"{first}-{second}", quarantine / f"{first}-{second}").build()
            if action is bring_back:
                reject(scene)
            dead = killed_at(first, action, scene)
            again = dead and killed_at(second, recover if action is reject else bring_back, scene)
            (recover if action is reject else bring_back)(scene)
            check(scene, action, exact=True)
            repairs += again
            if not again:
                break
        kills += dead
        if not dead:
            return kills, repairs
    raise AssertionError("unreachable")


class NotPermittedError(Exception):
    """Processes may not be traced here."""


def fail_each(
    folder: Path, quarantine: Path, action: str, call: str, error: str, *, step: int = 1, journal: bool = False
) -> int:
    """Let every `step`th system call of a name fail once, in turn, and put things right; gives how many failed.

    Nothing may end the process, unless it is the journal that fails (`journal`), without which culld does nothing.
    Raises NotPermittedError where strace may trace nothing.
    """
    trace = folder / "trace"
    for number, nth in enumerate(count(1, step)):
        scene = Scene(folder / str(nth), quarantine / str(nth)).build()
        if action == "restore":
            reject(scene)
        injection = f"inject={call}:error={error}:when={nth}"
        command = ["strace", "-f", "-o", trace, "-e", f"trace={call}", "-e", injection, *PROGRAM]
        done = subprocess.run([*command, scene.folder, scene.quarantine, action], capture_output=True, check=False)
        if b"ptrace" in done.stderr:
            raise NotPermittedError(done.stderr.decode())
        gave_up = journal and b"SystemFaultError" in done.stderr
        assert gave_up or (done.returncode, done.stderr) == (0, b"")
        (recover if action == "reject" else bring_back)(scene)
        check(scene, ACTIONS[action])
        if "INJECTED" not in trace.read_text():
            return number
    raise AssertionError("unreachable")


def check(scene: Scene, action: Callable[[Scene], None], *, exact: bool = False) -> None:
    """Every file of the stack is there once, whole, and together with the others; nothing else is; nothing is open.

    If `exact`, a stack that was brought back has the bytes from before it was tagged.
    """
    inbox = {name: (scene.inbox / name).read_bytes() for name in quarantined.tree(scene.inbox)}
    quarantine = {name: (scene.quarantine / name).read_bytes() for name in quarantined.tree(scene.quarantine)}
    with scene.journal() as journal:
        assert journal.unfinished() == []
    if action is bring_back:
        assert not quarantine, sorted(quarantine)
        assert not exact or inbox == {"2026/a.jpg": PHOTO, "2026/a.xmp": SIDECAR}
    if quarantine:
        assert not inbox, sorted(inbox)
        assert quarantine.pop("2026/a.jpg.culld.json")
        assert set(quarantine) == {"2026/a.jpg", "2026/a.jpg.xmp", "2026/a.xmp"}
    whole = inbox or quarantine
    assert set(whole) in ({"2026/a.jpg", "2026/a.xmp"}, {"2026/a.jpg", "2026/a.jpg.xmp", "2026/a.xmp"}), sorted(whole)
    assert whole["2026/a.jpg"] in {PHOTO, tagged(PHOTO)}
    assert whole["2026/a.xmp"] in {SIDECAR, tagged(SIDECAR)}
    assert whole.get("2026/a.jpg.xmp", quarantined.TAG) == quarantined.TAG


def main() -> None:
    """One action, once; or a whole sweep of it, which prints the number of kills."""
    folder, quarantine, action = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    if action.startswith("sweep-"):
        sys.stdout.write(
            f"{sum(sweep(folder, quarantine, ACTIONS[action.removeprefix('sweep-')], int(sys.argv[4])))}\n"
        )
    else:
        ACTIONS[action](Scene(folder, quarantine))
