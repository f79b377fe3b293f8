"""The processes of this machine, as the kernel lists them."""

from __future__ import annotations

from pathlib import Path


def processes() -> dict[int, tuple[int, str, str]]:
    """All processes: the parent, the state and the command of each."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            found[int(folder.name)] = (int(fields[1]), fields[0], (folder / "cmdline").read_text())
        except (OSError, UnicodeDecodeError):  # it has ended
            continue
    return found


def below(*pids: int) -> dict[int, str]:
    """The processes that some processes started, and those that these started, with their commands."""
    known, found, waiting = processes(), dict[int, str](), list(pids)
    while waiting:
        parent = waiting.pop()
        children = {each: command for each, (its, _, command) in known.items() if its == parent}
        found |= children
        waiting += children
    return found
