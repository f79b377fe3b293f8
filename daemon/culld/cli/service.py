"""`culld service`: install culld as a systemd service, look at it, and take it away again."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes
from culld.errors import ConfigError
from culld.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culld.system.systemd.install import Step
    from culld.system.systemd.unit_files import Scope


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer `service` with its actions."""
    parser = subparsers.add_parser("service", help="run culld as a systemd service: install, uninstall, status")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, run, text in (
        ("install", _install, "write the unit for this culld and its configuration, and start it"),
        ("uninstall", _uninstall, "stop it and remove what install wrote; photos, configuration and state stay"),
        ("status", _status, "what systemd says of it"),
    ):
        action = actions.add_parser(name, help=text)
        scope = action.add_mutually_exclusive_group()
        scope.add_argument("--user", dest="scope", action="store_const", const="user", help="for you alone (default)")
        scope.add_argument(
            "--system", dest="scope", action="store_const", const="system", help="for the machine, as the user culld"
        )
        action.add_argument(
            "--library", type=_library, metavar="NAME", help="one of several, with /etc/culld/NAME.yaml"
        )
        if name != "status":
            action.add_argument("--dry-run", action="store_true", help="only print the steps")
        if name == "install":
            config_option.add_option(action)
        action.set_defaults(run=run, scope="user")


def _library(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,40}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: write a short name of letters, digits and _")
    return text


def _scope(args: argparse.Namespace) -> Scope:
    from culld.system.systemd.unit_files import Scope  # noqa: PLC0415

    if args.library and args.scope != Scope.SYSTEM:
        raise ConfigError(("--library goes with --system: a person has one culld",))
    return Scope(args.scope)


def _install(args: argparse.Namespace) -> int:
    from culld.system.systemd.install import acl_commands, install, installation  # noqa: PLC0415
    from culld.system.unit_data import unit_folder  # noqa: PLC0415

    scope = _scope(args)
    if args.library:
        args.config = Path(f"/etc/culld/{args.library}.yaml")
    path, config = config_option.load(args)
    folders = [*(watch.path for watch in config.watch), config.quarantine]
    found = installation(scope, path.absolute(), folders, args.library or "")
    _carry_out(install(found, unit_folder(), os.environ), dry_run=args.dry_run)
    if args.scope == "system":
        for command in acl_commands(folders, "culld"):
            print(f"culld may not work there yet; let it:  {command}")
    if not args.dry_run:
        print(f"culld runs; look at it with: culld service status --{args.scope}")
    return exit_codes.FINE


def _uninstall(args: argparse.Namespace) -> int:
    from culld.system.systemd.install import uninstall  # noqa: PLC0415

    _carry_out(uninstall(_scope(args), os.environ, args.library or ""), dry_run=args.dry_run)
    if not args.dry_run:
        print("photos, quarantine, configuration and state are as they were")
    return exit_codes.FINE


def _carry_out(steps: Iterable[Step], *, dry_run: bool) -> None:
    for step in steps:
        print(step, flush=True)
        if not dry_run:
            step.do()


def _status(args: argparse.Namespace) -> int:
    from culld.system.systemd.install import systemctl, unit_file  # noqa: PLC0415

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
