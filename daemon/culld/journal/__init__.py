"""The journal in SQLite: decisions, the changes that they plan, and the states of files."""
