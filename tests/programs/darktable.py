"""Darktable, driven by its own Lua: it rates and tags photos, and returns the stars and keywords that it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from programs.display import home, running, screen, until
from programs.shown import Shown

_OUT = """
local dt = require "darktable"
local file = io.open("{out}.part", "w")
for _, folder in ipairs({{{folders}}}) do dt.database.import(folder) end
for tries = 1, 600 do
  if #dt.database >= {count} then break end
  dt.control.sleep(200)
end
for _, image in ipairs(dt.database) do
  {work}
end
file:close()
os.rename("{out}.part", "{out}")
"""
_RATE = 'image.rating = 4; dt.tags.attach(dt.tags.create("Holiday"), image)'
_TELL = """
  local words = {}
  for _, tag in ipairs(dt.tags.get_tags(image)) do table.insert(words, tag.name) end
  local path = image.path .. "/" .. image.filename
  file:write(path .. "\\t" .. image.rating .. "\\t" .. table.concat(words, "\\t") .. "\\n")
"""


class Darktable:
    """One library that imports all photos."""

    name = "darktable"
    program = "darktable"
    package = "darktable"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the tags of each photo that it imports."""
        return {path: shown.words for path, shown in shows(photos, work / "darktable").items()}


def rate(photos: list[Path], work: Path) -> None:
    """Give each photo four stars and the keyword Holiday; darktable writes them into sidecars."""
    _run(photos, work, _RATE, "after edit", lambda: all(_sidecar(photo) for photo in photos))


def shows(photos: list[Path], work: Path) -> dict[Path, Shown]:
    """Return what darktable shows of photos that it has not seen before."""
    out = _run(photos, work, _TELL, "never", lambda: True)
    rows = [line.split("\t") for line in out.read_text().splitlines()]
    return {
        Path(path): Shown(int(stars), frozenset(word for word in words if not word.startswith("darktable|")))
        for path, stars, *words in rows
    }


def _sidecar(photo: Path) -> bool:
    sidecar = photo.with_name(f"{photo.name}.xmp")
    return sidecar.exists() and 'Rating="4"' in (text := sidecar.read_text()) and "Holiday" in text


def _run(photos: list[Path], work: Path, lua: str, sidecars: str, written: Callable[[], bool]) -> Path:
    work.mkdir()
    out, script = work / "out.tsv", work / "run.lua"
    folders = ",".join(f'"{folder}"' for folder in sorted({photo.parent for photo in photos}))
    script.write_text(_OUT.format(out=out, folders=folders, count=len(photos), work=lua))
    options = ["--configdir", str(work), "--cachedir", str(work), "--library", str(work / "library.db")]
    options += ["--conf", f"write_sidecar_files={sidecars}", "--luacmd", f'dofile("{script}")']
    with screen() as display:
        environment = home(work / "home") | {"DISPLAY": display}
        with running(["dbus-run-session", "--", "darktable", *options], environment):
            until(lambda: out.exists() and written(), "darktable did not finish")
    return out
