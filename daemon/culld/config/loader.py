"""Finds the configuration file and reads it into a `Config`, or into a ConfigError with all its problems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from culld.config import messages, types, yaml_lines
from culld.config.folders import folder_problems
from culld.config.messages import Key, Problem
from culld.config.schema import Config
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAX_BYTES: Final = 1_000_000
"""Larger files are refused."""

SYSTEM: Final = Path("/etc/culld/config.yaml")
"""The configuration of the system."""

_SMALLEST: Final = """\
watch:
  - path: ~/Pictures/Import
quarantine: ~/Pictures/Quarantine"""


def find_config(explicit: Path | None, environ: Mapping[str, str], *, system: Path = SYSTEM) -> Path:
    """Return the configuration file: `explicit` (--config), else $CULLD_CONFIG, the user's, or the system's.

    Raises ConfigError if the file of --config or $CULLD_CONFIG does not exist, or if there is no file at all: a
    mistyped name must not put another policy in force.
    """
    named = {"--config": explicit, "$CULLD_CONFIG": environ.get("CULLD_CONFIG") or None}
    for origin, path in named.items():
        if path is not None:
            if not Path(path).exists():
                text = f"{display_path(Path(path))}: {origin} names this file, but it is not there"
                raise ConfigError((f"{text}; `culld init FOLDER --out FILE` writes one",))
            return Path(path)
    user = user_config(environ)
    for path in (user, system):
        if path.exists():
            return path
    raise ConfigError((_none_found(user, system),))


def user_config(environ: Mapping[str, str]) -> Path:
    """Return the path of a user's configuration: `culld/config.yaml` in the XDG configuration folder."""
    xdg = environ.get("XDG_CONFIG_HOME", "")
    # The XDG base directory specification has relative values ignored.
    folder = Path(xdg) if xdg.startswith("/") else types.home(environ) / ".config"
    return folder / "culld" / "config.yaml"


def _none_found(user: Path, system: Path) -> str:
    looked = f"--config and $CULLD_CONFIG are not given, {display_path(user)} and {system} are not there"
    advice = "`culld init FOLDER` writes one for the folder to watch, or write it yourself; the smallest is"
    return f"no configuration found: {looked}; {advice}\n\n{_SMALLEST}\n"


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check a configuration file; raises ConfigError with every problem, in the order of the lines.

    Relative paths start at the file's folder; `~` and the default of `state` come from `environ`. All paths are real
    (links resolved). The folders need not exist: the daemon waits for a missing one.
    """
    text = _text(path)
    found = yaml_lines.read(text)
    base = types.PathBase(path.absolute().parent, environ)
    config = None
    wrong = list(found.problems)
    if not wrong or found.data is not None:
        config = _validated(found, base, wrong)
        wrong += (Problem(found.line(key), key, what) for key, what in _folder_problems(found.data, base))
    if wrong or config is None:
        wrong.sort(key=lambda problem: problem.line)
        raise ConfigError(tuple(problem.as_text(path) for problem in wrong))
    return config


def find_state(path: Path, environ: Mapping[str, str]) -> Path:
    """Return the state folder of a configuration file, even where other keys of the file are wrong.

    For `culld status` and `culld log`, which must work when a policy was saved with a mistake. Raises ConfigError with
    all problems if this key cannot be read either.
    """
    text = _text(path)
    data = yaml_lines.read(text).data
    if not isinstance(data, dict):
        data = yaml_lines.read("\n".join(line for line in text.splitlines() if line.startswith("state:"))).data or {}
    base = types.PathBase(path.absolute().parent, environ)
    return _folder_or_none(types.state, data.get("state", types.AUTO), base) or load_config(path, environ).state


def built_in_config(environ: Mapping[str, str]) -> Config:
    """Return the defaults, for commands that only read photos: the configuration of the smallest file."""
    base = types.PathBase(Path.cwd(), environ)
    return Config.model_validate(yaml_lines.read(_SMALLEST).data, context=base)


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


def _validated(found: yaml_lines.YamlDocument, base: types.PathBase, wrong: list[Problem]) -> Config | None:
    try:
        return Config.model_validate(found.data, context=base)
    except ValidationError as invalid:
        # The YAML reader has reported some keys already (given twice, an unfit tag).
        reported = {problem.key for problem in wrong}
        for error in invalid.errors():
            key = _as_written(error["loc"], found.data)
            if key not in reported:
                wrong.append(Problem(found.line(key), key, messages.explain(error, Config)))
        return None


def _as_written(key: Key, data: Any) -> Key:
    """Return the key as the file has it, where `quarantine: FOLDER` may be written without `path`."""
    short = key == ("quarantine", "path") and not isinstance(data.get("quarantine"), dict)
    return key[:1] if short else key


def _folder_problems(data: Any, base: types.PathBase) -> Iterator[tuple[Key, str]]:
    """Compare the folders with each other even where other keys are wrong: all problems are reported together."""
    if not isinstance(data, dict):
        return
    watched: dict[Key, Path] = {}
    entries = data.get("watch")
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        folder = _folder_or_none(types.path, entry.get("path"), base) if isinstance(entry, dict) else None
        if folder is not None:
            watched["watch", number, "path"] = folder
    section = data.get("quarantine")
    section = section.get("path") if isinstance(section, dict) else section
    quarantine = _folder_or_none(types.path, section, base)
    state = _folder_or_none(types.state, data.get("state", types.AUTO), base)
    yield from folder_problems(watched, quarantine, state)


def _folder_or_none(read: Callable[[object, types.PathBase], Path], value: object, base: types.PathBase) -> Path | None:
    try:
        return read(value, base)
    except ValueError:
        return None  # the schema reports it
