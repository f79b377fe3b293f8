"""culld: a background daemon that culls photos."""

__version__ = "0.1.0"
