"""The systemd units: their text, and their installation."""
