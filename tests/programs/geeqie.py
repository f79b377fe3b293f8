"""Geeqie, asked by its remote commands for the keywords that its Lua interface returns."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from programs.display import NotDrivenError, home, running, screen, until

_LUA = """local exif = Image:get_exif()
return "words:" .. ((exif and exif:get_datum("Xmp.dc.subject")) or "")
"""


class Geeqie:
    """One window on a virtual screen. It puts a sidecar into a group with its photo, where it knows the sidecar."""

    name = "Geeqie"
    program = "geeqie"
    package = "geeqie"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the words of each photo, those of a sidecar in its group included."""
        with screen() as display:
            environment = {**os.environ, **home(work), "DISPLAY": display}
            script = work / ".config" / "geeqie" / "lua" / "words.lua"
            script.parent.mkdir(parents=True)
            script.write_text(_LUA)
            with running(["dbus-run-session", "--", "geeqie", "--disable-clutter", "--blank"], environment):
                # Without this socket `--remote` would open a window of its own, and never end.
                until((work / ".config" / "geeqie" / ".command").exists, "Geeqie does not start")
                until(lambda: _asked(photos[0], environment) is not None, "Geeqie does not answer")
                return {photo: _words(photo, environment) for photo in photos}


def _asked(photo: Path, environment: dict[str, str]) -> str | None:
    """Return the keywords as one text; None if Geeqie does not answer."""
    command = ["geeqie", "--remote", f"--lua:{photo},words.lua"]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=20)
    except subprocess.TimeoutExpired:
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith("words:")]
    return lines[0].removeprefix("words:").strip() if lines else None


def _words(photo: Path, environment: dict[str, str]) -> frozenset[str]:
    text = _asked(photo, environment)
    if text is None:
        raise NotDrivenError(f"Geeqie does not answer for {photo}")
    return frozenset(filter(None, text.split(", ")))
