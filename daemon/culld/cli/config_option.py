"""The configuration as a command gets it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from culld.config import Config


def add_option(parser: argparse.ArgumentParser) -> None:
    """Offer `--config`."""
    parser.add_argument(
        "--config", type=Path, metavar="F", help="the configuration file (see README for where it is looked for)"
    )


def state(args: argparse.Namespace) -> Path:
    """The state folder, for commands that only ask; a policy that was saved with a mistake does not matter to them."""
    from culld.config import find_config, find_state  # noqa: PLC0415

    return find_state(find_config(args.config, os.environ), os.environ)


def load(args: argparse.Namespace) -> tuple[Path, Config]:
    """The configuration file that is in force, and what it says; raises ConfigError."""
    from culld.config import find_config, load_config  # noqa: PLC0415 (pydantic and YAML would slow `--help` down)

    path = find_config(args.config, os.environ)
    return path, load_config(path, os.environ)
