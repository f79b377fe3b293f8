"""Shared parts of the tests: processes, kill points, mounts, and builders of files and records."""
