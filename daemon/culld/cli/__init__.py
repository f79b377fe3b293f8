"""The command line: one file per command, and nothing heavy imported before a command runs."""

from __future__ import annotations


def main(argv: list[str] | None = None) -> int:
    """Run `culld` with these arguments (those of the process if None) and return its exit code."""
    raise NotImplementedError(argv)
