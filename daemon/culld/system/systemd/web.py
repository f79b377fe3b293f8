"""Installing and uninstalling the review page as a service: a socket, and a process that starts with a connection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from culld.records import WISH_FOLDER
from culld.system.systemd.install import (
    SYSTEM_UNITS,
    Remove,
    Run,
    Write,
    read_template,
    systemctl,
    user_units,
)
from culld.system.systemd.unit_files import HEADER, WEB_FOLDER, Scope, render_web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culld.system.systemd.install import Step
    from culld.system.systemd.unit_files import Installation

USER: Final = "culld-web"
"""The user that serves the review page of the system."""

_SOCKET: Final = "culld-web.socket"
_SERVICE: Final = "culld-web.service"
_SYSUSERS: Final = Path("/etc/sysusers.d/culld-web.conf")


def install_web(found: Installation, state: Path, templates: Path, environ: Mapping[str, str]) -> Iterator[Step]:
    """Yield the steps in order; `state` is the state folder of culld.

    Raises, before the first one, SystemFaultError where a template is missing, and ConfigError as `render_web` does.
    """
    system = found.scope is Scope.SYSTEM
    kind = "culld-web" if system else "culld-web-user"
    folder = _units(found.scope, environ)
    socket = HEADER + read_template(templates, f"{kind}.socket")
    service = render_web(read_template(templates, f"{kind}.service"), found, state)
    yield Write(folder / _SOCKET, socket)
    yield Write(folder / _SERVICE, service)
    if system:
        yield Write(_SYSUSERS, HEADER + read_template(templates, "culld-web.sysusers.conf"))
        yield Run(("systemd-sysusers", "culld.conf", "culld-web.conf"))
        # The daemon takes wishes of the owner of their folder, and removes them as a member of its group.
        yield _folder(state / WISH_FOLDER, "culld", "2770")
        yield _folder(state / WEB_FOLDER, USER, "0700")
    yield Run((*systemctl(found.scope), "daemon-reload"))
    yield Run((*systemctl(found.scope), "enable", "--now", _SOCKET))


def _folder(path: Path, group: str, mode: str) -> Run:
    return Run(("install", "-d", "-o", USER, "-g", group, "-m", mode, os.fsdecode(path)))


def uninstall_web(scope: Scope, environ: Mapping[str, str]) -> Iterator[Step]:
    """Yield the steps in order; sessions and the system user are kept. None where the page is not installed."""
    folder = _units(scope, environ)
    if not (folder / _SOCKET).exists():
        return
    yield Run((*systemctl(scope), "disable", "--now", _SOCKET), may_fail=True)
    yield Run((*systemctl(scope), "stop", _SERVICE), may_fail=True)
    yield Remove(folder / _SOCKET)
    yield Remove(folder / _SERVICE)
    if scope is Scope.SYSTEM:
        yield Remove(_SYSUSERS)
    yield Run((*systemctl(scope), "daemon-reload"))
    yield Run((*systemctl(scope), "reset-failed", _SERVICE), may_fail=True)


def _units(scope: Scope, environ: Mapping[str, str]) -> Path:
    return SYSTEM_UNITS if scope is Scope.SYSTEM else user_units(environ)
