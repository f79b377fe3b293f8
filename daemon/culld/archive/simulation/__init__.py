"""Simulation: what a policy would do, computed column by column."""
