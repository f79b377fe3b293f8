"""Checks of the installation, each with its result and the command that repairs it."""
