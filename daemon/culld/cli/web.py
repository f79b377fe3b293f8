"""`culld web`: serves the review page; sets its password, makes its tokens and its login codes."""

from __future__ import annotations

import getpass
import importlib.util
import os
import pwd
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import exit_codes
from culld.config import find_config, load_config
from culld.config.types import NEVER, duration
from culld.errors import ConfigError, SystemFaultError
from culld.system.systemd.unit_files import WEB_FOLDER
from culld.web.secret_store import LEAST_PASSWORD, Scope, SecretStore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from datetime import timedelta

    from culld.config import Config


def run(args: argparse.Namespace) -> int:
    """Run the action, or serve the page until it is stopped."""
    environ = _environ()
    path = find_config(args.config, environ)
    config = load_config(path, environ)
    store = SecretStore(config.state / WEB_FOLDER)
    if args.action is not None or args.link:
        _become_owner(store.folder)
    if args.action == "password":
        return _set_password(store)
    if args.action == "token":
        return _token(args, store)
    if args.link:
        store.prepare()
        print(f"http://127.0.0.1:{args.port or config.web.port}/#login={store.new_code()}")
        return exit_codes.FINE
    return _serve(args, path, config, environ)


def _become_owner(folder: Path) -> None:
    """Go on as the owner of the folder of secrets, if root runs the command: root's files could not be read there."""
    try:
        found = folder.stat()
    except OSError:  # it is created later
        return
    if os.geteuid() == 0 and found.st_uid:
        os.initgroups(pwd.getpwuid(found.st_uid).pw_name, found.st_gid)  # one of its groups may enter the state folder
        os.setgid(found.st_gid)
        os.setuid(found.st_uid)


def _environ() -> Mapping[str, str]:
    """Return the environment; to the unit of the page systemd gives the folder `web` in the daemon's state folder."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if Path(given).name == "web":
        return {**os.environ, "STATE_DIRECTORY": str(Path(given).parent)}
    return os.environ


def _serve(args: argparse.Namespace, path: Path, config: Config, environ: Mapping[str, str]) -> int:
    if not all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn")):
        raise SystemFaultError("the review page needs the extra `web`: pip install 'culld[web]'")
    from culld.web.server import ServeRequest, serve  # noqa: PLC0415 (an extra, and slow to import)

    request = ServeRequest(args.host, args.port or config.web.port, _idle(args, config, environ), args.open)
    serve(path, config, request, environ, _show)
    return exit_codes.FINE


def _show(link: str) -> None:
    print(f"The review page is at\n  {link}\nCtrl-C stops.", flush=True)


def _idle(args: argparse.Namespace, config: Config, environ: Mapping[str, str]) -> timedelta | None:
    """Return the idle time: that of --idle, or that of the configuration if systemd started the process."""
    if args.idle is None:
        return config.web.idle if "LISTEN_FDS" in environ else None
    if args.idle == NEVER:
        return None
    try:
        return duration("1s", "365d")(args.idle)
    except ValueError as error:
        raise ConfigError((f"--idle: {error}",)) from error


def _set_password(store: SecretStore) -> int:
    store.prepare()
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < LEAST_PASSWORD:
        print(f"culld: a password has {LEAST_PASSWORD} characters at least", file=sys.stderr)
        return exit_codes.USAGE
    if sys.stdin.isatty() and getpass.getpass("Again: ") != password:
        print("culld: the passwords differ; nothing was changed", file=sys.stderr)
        return exit_codes.USAGE
    store.set_password(password)
    print("The password is set.")
    return exit_codes.FINE


def _token(args: argparse.Namespace, store: SecretStore) -> int:
    store.prepare()
    if args.remove:
        if not store.remove_token(args.name):
            print(f"culld: there is no token {args.name}", file=sys.stderr)
            return exit_codes.SOME_FAILED
        print(f"The token {args.name} is removed.")
        return exit_codes.FINE
    print(store.new_token(args.name, Scope(args.scope)))
    return exit_codes.FINE
