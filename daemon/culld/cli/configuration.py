"""The configuration of a command, found by its option `--config` and the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from culld.config import built_in_config, find_config, find_state, load_config
from culld.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from culld.config import Config


def state(args: argparse.Namespace) -> Path:
    """Return the state folder, for read-only commands; mistakes elsewhere in the file are ignored."""
    return find_state(find_config(args.config, os.environ), os.environ)


def load(args: argparse.Namespace) -> tuple[Path, Config]:
    """Return the path of the configuration file in force, and its configuration; raises ConfigError."""
    path = find_config(args.config, os.environ)
    return path, load_config(path, os.environ)


def load_or_default(args: argparse.Namespace) -> Config:
    """Return the configuration in force, or the defaults if there is no file, for read-only commands."""
    try:
        path = find_config(args.config, os.environ)
    except ConfigError:
        if args.config is not None or os.environ.get("CULLD_CONFIG"):
            raise
        return built_in_config(os.environ)
    return load_config(path, os.environ)
