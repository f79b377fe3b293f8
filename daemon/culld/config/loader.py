"""Finds the configuration file and turns it into a `Config`, or into the list of everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from culld.config import messages, types, yaml_lines
from culld.config.folders import of_folders
from culld.config.messages import Key, Problem
from culld.config.schema import Config
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAX_BYTES: Final = 1_000_000
"""A larger file is not a configuration that a person wrote."""

SYSTEM: Final = Path("/etc/culld/config.yaml")
"""Where the system's own configuration lies."""

_SMALLEST: Final = """\
watch:
  - path: ~/Pictures/Import
quarantine: ~/Pictures/Quarantine"""


def find_config(explicit: Path | None, environ: Mapping[str, str], *, system: Path = SYSTEM) -> Path:
    """The file to use: `explicit` (--config), $CULLD_CONFIG, the user's, the system's.

    Raises ConfigError if the file that was named is not there, or if there is none at all. A file that was
    named is never passed over for another one: its owner would be governed by a policy that is not theirs.
    """
    named = {"--config": explicit, "$CULLD_CONFIG": environ.get("CULLD_CONFIG") or None}
    for origin, path in named.items():
        if path is not None:
            if not Path(path).exists():
                raise ConfigError((f"{display_path(Path(path))}: {origin} names this file, but it is not there",))
            return Path(path)
    user = _user_folder(environ) / "culld" / "config.yaml"
    for path in (user, system):
        if path.exists():
            return path
    raise ConfigError((_none_found(user, system),))


def _user_folder(environ: Mapping[str, str]) -> Path:
    xdg = environ.get("XDG_CONFIG_HOME", "")
    # The XDG base directory specification has relative values ignored.
    return Path(xdg) if xdg.startswith("/") else types.home(environ) / ".config"


def _none_found(user: Path, system: Path) -> str:
    looked = f"--config and $CULLD_CONFIG are not given, {display_path(user)} and {system} are not there"
    return f"no configuration found: {looked}; write one, the smallest is\n\n{_SMALLEST}\n"


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check a configuration file; raises ConfigError with every problem, in the order of the lines.

    Relative paths stand on the file's folder, `~` and the default of `state` on `environ`. All paths come out real
    (links resolved). Whether the folders are there is not asked: a missing one is waited for.
    """
    text = _text(path)
    found = yaml_lines.read(text)
    ground = types.PathBase(path.absolute().parent, environ)
    config = None
    wrong = list(found.problems)
    if not wrong or found.data is not None:
        config = _validated(found, ground, wrong)
        wrong += (Problem(found.line(key), key, what) for key, what in _of_folders(found.data, ground))
    if wrong or config is None:
        wrong.sort(key=lambda problem: problem.line)
        raise ConfigError(tuple(problem.as_text(path) for problem in wrong))
    return config


def find_state(path: Path, environ: Mapping[str, str]) -> Path:
    """The state folder that a configuration names, even where something else in the file is wrong.

    For `culld status` and `culld log`, which must work above all when a policy was saved with a mistake. Raises
    ConfigError with all problems if not even this key can be read.
    """
    text = _text(path)
    data = yaml_lines.read(text).data
    if not isinstance(data, dict):
        data = yaml_lines.read("\n".join(line for line in text.splitlines() if line.startswith("state:"))).data or {}
    ground = types.PathBase(path.absolute().parent, environ)
    return _folder_or_none(types.state, data.get("state", types.AUTO), ground) or load_config(path, environ).state


def built_in_config(environ: Mapping[str, str]) -> Config:
    """The defaults, for commands that only look: what the smallest file would say."""
    ground = types.PathBase(Path.cwd(), environ)
    return Config.model_validate(yaml_lines.read(_SMALLEST).data, context=ground)


def _text(path: Path) -> str:
    name = display_path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            (f"{name}: cannot be read ({error.strerror}); name a readable file with --config",)
        ) from error
    if len(content) > MAX_BYTES:
        raise ConfigError((f"{name}: larger than 1 MB, which no configuration is; name another file with --config",))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError((Problem(line, (), "not UTF-8; save the file as UTF-8 text").as_text(path),)) from error


def _validated(found: yaml_lines.YamlDocument, ground: types.PathBase, wrong: list[Problem]) -> Config | None:
    try:
        return Config.model_validate(found.data, context=ground)
    except ValidationError as invalid:
        # What the reader already told of (a key given twice, an unfit tag) is not told again.
        told = {problem.key for problem in wrong}
        for error in invalid.errors():
            key = _as_written(error["loc"], found.data)
            if key not in told:
                wrong.append(Problem(found.line(key), key, messages.problems_of(error, Config)))
        return None


def _as_written(key: Key, data: Any) -> Key:
    """The key as it stands in the file, where `quarantine: FOLDER` may be written without `path`."""
    short = key == ("quarantine", "path") and not isinstance(data.get("quarantine"), dict)
    return key[:1] if short else key


def _of_folders(data: Any, ground: types.PathBase) -> Iterator[tuple[Key, str]]:
    """Check the folders among themselves even where other keys are wrong, so that all is told at once."""
    if not isinstance(data, dict):
        return
    watched: dict[Key, Path] = {}
    entries = data.get("watch")
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        folder = _folder_or_none(types.path, entry.get("path"), ground) if isinstance(entry, dict) else None
        if folder is not None:
            watched["watch", number, "path"] = folder
    kept = data.get("quarantine")
    kept = kept.get("path") if isinstance(kept, dict) else kept
    quarantine = _folder_or_none(types.path, kept, ground)
    state = _folder_or_none(types.state, data.get("state", types.AUTO), ground)
    yield from of_folders(watched, quarantine, state)


def _folder_or_none(
    read: Callable[[object, types.PathBase], Path], value: object, ground: types.PathBase
) -> Path | None:
    try:
        return read(value, ground)
    except ValueError:
        return None  # told by the schema
