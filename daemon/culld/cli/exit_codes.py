"""Exit codes, the same for every command."""

FINE = 0
SOME_FAILED = 1
USAGE = 2
SYSTEM_FAULT = 3
INTERRUPTED = 130
"""Ctrl-C ended the command before it was done (128 + SIGINT, as in shells); `culld run` returns FINE instead."""
