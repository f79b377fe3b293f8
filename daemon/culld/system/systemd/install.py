"""Installing and uninstalling culld as a service, in steps that can be shown before they are carried out."""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import culld
from culld.errors import SystemFaultError
from culld.records import display_path
from culld.system.doctor.folders import grant_command
from culld.system.systemd.unit_files import HEADER, Installation, Scope, for_libraries, render, without_templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SYSTEM_UNITS: Final = Path("/etc/systemd/system")
"""The folder of the units of the system that an administrator writes."""

LINGERING: Final = Path("/var/lib/systemd/linger")
"""Where logind keeps the users whose services run while they are logged out (src/login/logind-user.c)."""

_TEMPLATE: Final = SYSTEM_UNITS / "culld@.service"
_ALL: Final = 0o7
_READ: Final = 0o5


@dataclass(frozen=True, slots=True)
class Write:
    """A file that is written whole."""

    file: Path
    text: str

    def __str__(self) -> str:
        return f"write   {display_path(self.file)}"

    def do(self) -> None:
        """Write the file; raises SystemFaultError."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(self.text, errors="surrogateescape")
            self.file.chmod(0o644)
        except OSError as error:
            raise SystemFaultError(
                f"{display_path(self.file)} cannot be written ({error.strerror}); try sudo"
            ) from error


@dataclass(frozen=True, slots=True)
class Remove:
    """A file that an installation wrote; a file of that name without culld's header stays."""

    file: Path

    def __str__(self) -> str:
        return f"remove  {display_path(self.file)}"

    def do(self) -> None:
        """Remove the file if culld wrote it; raises SystemFaultError."""
        try:
            if self.file.read_text().startswith(HEADER):
                self.file.unlink()
                if self.file.parent.suffix == ".d" and not any(self.file.parent.iterdir()):
                    self.file.parent.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            raise SystemFaultError(
                f"{display_path(self.file)} cannot be removed ({error.strerror}); try sudo"
            ) from error


@dataclass(frozen=True, slots=True)
class Run:
    """A command that is run; with `may_fail` its failure is ignored, because on some systems it has nothing to do."""

    command: tuple[str, ...]
    may_fail: bool = False

    def __str__(self) -> str:
        return f"run     {shlex.join(self.command)}"

    def do(self) -> None:
        """Run the command; raises SystemFaultError with its output."""
        try:
            done = subprocess.run(self.command, capture_output=True, text=True, check=False)  # noqa: S603
        except OSError as error:
            raise SystemFaultError(
                f"{self.command[0]} cannot be run ({error.strerror}); does this system use systemd?"
            ) from error
        if done.returncode and not self.may_fail:
            raise SystemFaultError(f"{shlex.join(self.command)} failed: {(done.stderr or done.stdout).strip()}")


@dataclass(frozen=True, slots=True)
class Advise:
    """A command that is left to the person who installs, with its reason."""

    command: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"you     {shlex.join(self.command)}    # {self.reason}"

    def do(self) -> None:
        """Do nothing: the command changes more than culld."""


Step = Write | Remove | Run | Advise


def unit_file(scope: Scope, environ: Mapping[str, str], library: str = "") -> Path:
    """Return the path of the unit file; for a library, the path of its drop-in."""
    if library:
        return SYSTEM_UNITS / f"culld@{library}.service.d" / "paths.conf"
    if scope is Scope.SYSTEM:
        return SYSTEM_UNITS / "culld.service"
    return user_units(environ) / "culld.service"


def user_units(environ: Mapping[str, str]) -> Path:
    """Return the folder of a user's units."""
    home = Path(environ.get("XDG_CONFIG_HOME") or Path(environ["HOME"], ".config"))
    return home / "systemd" / "user"


def installation(scope: Scope, config: Path, writes: Sequence[Path], library: str = "") -> Installation:
    """Return the installation of the running culld: its command, interpreter and code folders."""
    command = Path(sys.argv[0]).absolute()
    code = tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix), Path(culld.__file__).resolve().parents[2])))
    return Installation(scope, command, config, tuple(writes), code, library)


def install(found: Installation, templates: Path, environ: Mapping[str, str]) -> Iterator[Step]:
    """Yield the steps in order.

    Raises, before the first one, SystemFaultError where a template is missing, and ConfigError as `render` does.
    """
    system = found.scope is Scope.SYSTEM
    template = read_template(templates, "culld.service" if system else "culld-user.service")
    unit = unit_file(found.scope, environ, found.library)
    if found.library:
        drop_in = without_templates(found)
        yield Write(_TEMPLATE, for_libraries(template, found.command))
        yield Write(unit, drop_in)
    else:
        yield Write(unit, render(template, found))
    if system:
        for folder, kind in (("/etc/sysusers.d", "sysusers"), ("/etc/tmpfiles.d", "tmpfiles")):
            yield Write(Path(folder, "culld.conf"), HEADER + read_template(templates, f"culld.{kind}.conf"))
        yield Run(("systemd-sysusers", "culld.conf"))
        yield Run(("systemd-tmpfiles", "--create", "culld.conf"))
    yield Run((*systemctl(found.scope), "daemon-reload"))
    yield Run((*systemctl(found.scope), "enable", "--now", found.unit))


def linger_steps(uid: int, lingering: Path = LINGERING) -> Iterator[Step]:
    """Yield the advice to let the services of a user run while the user is logged out, unless they do already.

    `lingering` is the folder in which logind keeps one file for each user who lingers.
    """
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # systemd runs no services for a user without an account
        return
    if not (lingering / name).exists():
        yield Advise(("loginctl", "enable-linger"), "else culld ends when you log out, and starts at the next login")


def uninstall(scope: Scope, environ: Mapping[str, str], library: str = "") -> Iterator[Step]:
    """Yield the steps in order; photos, configuration, state and the system user are kept.

    Files that several libraries share are removed with the last one.
    """
    unit = f"culld@{library}" if library else "culld"
    yield Run((*systemctl(scope), "disable", "--now", unit), may_fail=True)
    yield Remove(unit_file(scope, environ, library))
    others = [path for path in SYSTEM_UNITS.glob("culld@*.service.d") if path.name != f"culld@{library}.service.d"]
    if library and not others:
        yield Remove(_TEMPLATE)
    if scope is Scope.SYSTEM and not others and not (library and (SYSTEM_UNITS / "culld.service").exists()):
        yield Remove(Path("/etc/sysusers.d/culld.conf"))
        yield Remove(Path("/etc/tmpfiles.d/culld.conf"))
    yield Run((*systemctl(scope), "daemon-reload"))
    yield Run((*systemctl(scope), "reset-failed", unit), may_fail=True)


def systemctl(scope: Scope) -> tuple[str, ...]:
    """Return the systemctl command for a scope."""
    return ("systemctl",) if scope is Scope.SYSTEM else ("systemctl", "--user")


def acl_commands(folders: Sequence[Path], user: str, *, write: bool = True) -> Iterator[str]:
    """Yield, for each folder that a user may not read, enter and (if `write`) write, the command that grants that."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:  # the user does not exist yet
        return
    groups = set(os.getgrouplist(user, account.pw_gid))
    for folder in folders:
        if folder.is_dir() and not _may(folder, account.pw_uid, groups, _ALL if write else _READ):
            yield grant_command(folder, user, write=write)


def _may(folder: Path, uid: int, groups: set[int], rights: int) -> bool:
    status = folder.stat()
    shift = 6 if status.st_uid == uid else 3 if status.st_gid in groups else 0
    return status.st_mode >> shift & rights == rights or _listed_in_acl(folder)


def _listed_in_acl(folder: Path) -> bool:
    """Whether a folder has an access control list: then the mode does not show who has access."""
    try:
        return "system.posix_acl_access" in os.listxattr(folder)
    except OSError:  # a file system without extended attributes
        return False


def read_template(folder: Path, name: str) -> str:
    """Return a template of a unit; raises SystemFaultError where it is missing."""
    try:
        return (folder / name).read_text()
    except OSError as error:
        raise SystemFaultError(f"{display_path(folder / name)} cannot be read; install culld again") from error
