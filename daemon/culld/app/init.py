"""The use case `init`: a first configuration for the folders to watch, checked before it is left in place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.app.new_file import new_file
from culld.config import first_config, in_home, load_config, user_config
from culld.config.folders import folder_problems
from culld.config.types import AUTO, PathBase, home, state
from culld.errors import ConfigError, SystemFaultError
from culld.records import display_path
from culld.system.doctor.checks import Health
from culld.system.doctor.folders import existing, has_access, watched
from culld.system.photo_programs import WATCH_ANOTHER, imports_again, owners, ownership

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culld.config.messages import Key
    from culld.system.photo_programs import Owner

_QUARANTINE: Final = "Quarantine"
_ALL: Final = os.R_OK | os.W_OK | os.X_OK


@dataclass(frozen=True, slots=True)
class FirstConfig:
    """A configuration that is not written yet: its file and folders; `remarks` are sentences about its risks."""

    file: Path
    watched: tuple[Path, ...]
    quarantine: Path
    state: Path
    remarks: tuple[str, ...]


def propose(
    folders: Sequence[Path], environ: Mapping[str, str], *, out: Path | None = None, quarantine: Path | None = None
) -> FirstConfig:
    """Return the configuration that watches these folders; raises ConfigError with every reason against it.

    `out` is the file to write, by default $CULLD_CONFIG or the user's configuration; `quarantine` is by default the
    folder `Quarantine` beside the first watched folder for which that is possible.
    """
    file = free_file(environ, out)
    roots = tuple(Path(os.path.realpath(folder)) for folder in folders)
    reasons = [why for number, root in enumerate(roots) if (why := refusal(root, roots[:number], environ))]
    if reasons:
        raise ConfigError(tuple(reasons))
    moved_to = _beside(roots, environ) if quarantine is None else _outside(Path(os.path.realpath(quarantine)), roots)
    journal = state(AUTO, PathBase(file.parent, environ))
    return FirstConfig(file, roots, moved_to, journal, tuple(_remarks(roots, moved_to, environ)))


def free_file(environ: Mapping[str, str], out: Path | None) -> Path:
    """Return the path of the file to write; raises ConfigError if there is a file already."""
    file = (out or Path(environ.get("CULLD_CONFIG") or user_config(environ))).absolute()
    if os.path.lexists(file):
        text = f"{display_path(file)} is there already, and `culld init` replaces no file"
        raise ConfigError((f"{text}; edit it, or name another one with --out FILE",))
    return file


def refusal(root: Path, others: Sequence[Path], environ: Mapping[str, str]) -> str | None:
    """Return why a folder (a real path) cannot be watched beside other ones; None if it can."""
    name = _shown(root, environ)
    if not os.path.isdir(root):  # noqa: PTH112 (raises nothing, unlike Path's)
        return f"{name} is {'no folder' if os.path.lexists(root) else 'not there'}; make the folder first (mkdir -p)"
    if Path(os.path.realpath(home(environ))).is_relative_to(root):
        text = f"{display_path(root)} is or holds your home folder"
        return f"{text}; name a folder of photos in it, such as ~/Pictures/Import"
    if os.path.ismount(root):
        return f"{name} is the root of a file system; name a folder in it, such as {name.rstrip('/')}/Import"
    for other in others:
        if root.is_relative_to(other) or other.is_relative_to(root):
            return f"{name} and {_shown(other, environ)} overlap; name only one of them"
    for owner in owners(root):
        if owner.program.is_closed:
            return f"{name} cannot be watched: {_told(owner, environ)}; {WATCH_ANOTHER}"
    return None


def write(first: FirstConfig, environ: Mapping[str, str]) -> None:
    """Write the configuration, once the loader of culld has accepted it; no file is replaced.

    Raises ConfigError for folders that the loader refuses, SystemFaultError if the file cannot be written.
    """
    text = first_config(first.watched, first.quarantine, first.state, environ)
    try:
        first.file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemFaultError(f"{display_path(first.file.parent)} cannot be made ({error.strerror})") from error
    with new_file(first.file) as made:
        made.write_whole(text.encode())
        try:
            load_config(made.hidden, environ)
        except ConfigError as error:
            hidden, file = display_path(made.hidden), display_path(first.file)
            raise ConfigError(tuple(problem.replace(hidden, file) for problem in error.problems)) from error
        made.commit()


def _beside(roots: Sequence[Path], environ: Mapping[str, str]) -> Path:
    """Return the first folder for the quarantine that is outside of the watched folders and can be made."""
    pictures = Path(os.path.realpath(home(environ))) / "Pictures"
    for folder in (*(root.parent for root in roots), pictures, pictures.parent):
        place = folder / _QUARANTINE
        if _overlap(place, roots) is None and _may_be_made(place):
            return place
    raise ConfigError(("no place for the quarantine was found beside the folders; name one with --quarantine FOLDER",))


def _outside(place: Path, roots: Sequence[Path]) -> Path:
    problem = _overlap(place, roots)
    if problem is None and not _may_be_made(place):
        problem = f"the quarantine {display_path(place)} is no folder that you can make or write to; name another"
    if problem is not None:
        raise ConfigError((problem,))
    return place


def _overlap(place: Path, roots: Sequence[Path]) -> str | None:
    """Return why a folder cannot be the quarantine of these watched folders; None if it can.

    The loader allows a quarantine inside a watched folder; a first one is kept apart from the photos.
    """
    above = next((root for root in roots if place.is_relative_to(root)), None)
    if above is not None:
        return f"the quarantine {display_path(place)} lies in the watched folder {display_path(above)}; name another"
    keys: dict[Key, Path] = {("watch", number, "path"): root for number, root in enumerate(roots)}
    return next((f"the quarantine {what}" for _, what in folder_problems(keys, place, None)), None)


def _may_be_made(place: Path) -> bool:
    try:
        return existing(place).is_dir() and has_access(existing(place), _ALL)
    except OSError:  # a folder above it does not answer
        return False


def _remarks(roots: Sequence[Path], quarantine: Path, environ: Mapping[str, str]) -> Iterator[str]:
    for root in roots:
        name = _shown(root, environ)
        access = watched(root, "you")
        if access.health != Health.OK:
            yield f"{name} {access.what}: {access.fix}"
        yield from (f"{name}: {_told(owner, environ)}" for owner in owners(root))
        if _device(root) != _device(quarantine):
            yield f"the quarantine is on another disk than {name}: photos are copied, verified and then removed"
    for owner in owners(quarantine):
        yield f"the quarantine {_shown(quarantine, environ)} {imports_again(owner)}; name another one with --quarantine"


def _told(owner: Owner, environ: Mapping[str, str]) -> str:
    return ownership(owner, _shown(owner.mark, environ))


def _shown(path: Path, environ: Mapping[str, str]) -> str:
    return display_path(Path(in_home(path, environ)))


def _device(path: Path) -> int:
    return existing(path).stat().st_dev
