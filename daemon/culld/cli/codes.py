"""Exit codes, the same for every command."""

FINE = 0
SOME_FAILED = 1
USAGE = 2
SYSTEM_FAULT = 3
