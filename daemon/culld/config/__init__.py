"""The configuration file: its schema, its loader, and the messages about what is wrong in it."""

from __future__ import annotations

from culld.config.first import first_config, in_home
from culld.config.loader import built_in_config, find_config, find_state, load_config, user_config
from culld.config.schema import Config, Embed, Level, WatchSection

__all__ = [
    "Config",
    "Embed",
    "Level",
    "WatchSection",
    "built_in_config",
    "find_config",
    "find_state",
    "first_config",
    "in_home",
    "load_config",
    "user_config",
]
