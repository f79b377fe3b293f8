"""Who may change files: one process at a time."""

from __future__ import annotations
