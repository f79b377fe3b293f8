"""`culld service`: install culld as a systemd service, print its status, and uninstall it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import configuration, exit_codes
from culld.config import find_state
from culld.errors import ConfigError
from culld.records import display_path
from culld.system.data_files import unit_folder
from culld.system.systemd.install import (
    acl_commands,
    install,
    installation,
    linger_steps,
    systemctl,
    uninstall,
    unit_file,
)
from culld.system.systemd.unit_files import Scope
from culld.system.systemd.web import USER as WEB_USER
from culld.system.systemd.web import install_web, uninstall_web

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from culld.system.systemd.install import Step


def run(args: argparse.Namespace) -> int:
    """Run the action: install, uninstall or status."""
    actions = {"install": _install, "uninstall": _uninstall, "status": _status}
    return actions[args.action](args)


def _scope(args: argparse.Namespace) -> Scope:
    if args.library and args.scope != Scope.SYSTEM:
        raise ConfigError(("--library needs --system: a user service has no instances",))
    return Scope(args.scope)


def _install(args: argparse.Namespace) -> int:
    scope = _scope(args)
    if args.library:
        args.config = Path(f"/etc/culld/{args.library}.yaml")
    path, config = configuration.load(args)
    if args.web:
        _require_page(args)
    folders = [*(watch.path for watch in config.watch), config.quarantine]
    found = installation(scope, path.absolute(), folders, args.library or "")
    _carry_out(install(found, unit_folder(), os.environ), dry_run=args.dry_run)
    if args.web:
        _carry_out(install_web(found, _state(args, path), unit_folder(), os.environ), dry_run=args.dry_run)
    if scope is Scope.USER:
        _carry_out(linger_steps(os.getuid()), dry_run=args.dry_run)
    else:
        for user, write in (("culld", True), (WEB_USER, False)) if args.web else (("culld", True),):
            for command in acl_commands(folders, user, write=write):
                print(f"the user {user} needs access to this folder; grant it with:  {command}")
    if not args.dry_run:
        print(f"culld runs; to see its status: culld service status --{args.scope}")
    return exit_codes.FINE


def _require_page(args: argparse.Namespace) -> None:
    """Raise ConfigError where the review page could not be served as a service."""
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise ConfigError(("--web: the review page needs more packages; install them with: pip install 'culld[web]'",))
    if args.library:
        raise ConfigError(("--web: the page of a library has no unit; start it with `culld web --config FILE`",))


def _state(args: argparse.Namespace, path: Path) -> Path:
    """Return the state folder of the service: that of the configuration, or the one that systemd gives it."""
    first, second = (find_state(path, {"STATE_DIRECTORY": name, "HOME": "/"}) for name in ("/1", "/2"))
    if first == second:
        return first
    return Path("/var/lib/culld") if args.scope == Scope.SYSTEM else find_state(path, os.environ)


def _uninstall(args: argparse.Namespace) -> int:
    if not args.library:
        _carry_out(uninstall_web(_scope(args), os.environ), dry_run=args.dry_run)
    _carry_out(uninstall(_scope(args), os.environ, args.library or ""), dry_run=args.dry_run)
    if not args.dry_run:
        print("photos, quarantine, configuration and state were not changed")
    return exit_codes.FINE


def _carry_out(steps: Iterable[Step], *, dry_run: bool) -> None:
    for step in steps:
        print(step, flush=True)
        if not dry_run:
            step.do()


def _status(args: argparse.Namespace) -> int:
    unit = unit_file(_scope(args), os.environ, args.library or "")
    if not Path(unit).exists():
        print(f"culld is not installed as a service ({display_path(unit)} is not there)", file=sys.stderr)
        return exit_codes.SOME_FAILED
    command = [
        *systemctl(_scope(args)),
        "--no-pager",
        "--full",
        "status",
        f"culld@{args.library}" if args.library else "culld",
    ]
    done = subprocess.run(command, check=False)  # noqa: S603
    return exit_codes.FINE if done.returncode == 0 else exit_codes.SOME_FAILED
