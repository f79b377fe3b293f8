"""The options of `culld web`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.cli.config_option import add_config

if TYPE_CHECKING:
    import argparse


def add_web(parser: argparse.ArgumentParser) -> None:
    """Add the options of `culld web` and of its actions."""
    add_config(parser)
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--link", action="store_true", help="only print an address that logs in once, for a page that is served already"
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, metavar="N", help="port to listen on (web.port)")
    parser.add_argument("--idle", metavar="T", help="end after this time without a request: 15m; never")
    parser.set_defaults(action=None)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    password = actions.add_parser("password", help="set the password, which another address than this machine needs")
    add_config(password)
    token = actions.add_parser("token", help="make a token for programs that use the API, in place of an older one")
    add_config(token)
    token.add_argument("name", metavar="NAME", help="name of the token")
    what = token.add_mutually_exclusive_group()
    what.add_argument(
        "--scope", choices=("read", "answer"), default="read", help="only read, or also leave wishes (read)"
    )
    what.add_argument("--remove", action="store_true", help="remove the token")
