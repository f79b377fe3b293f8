"""The interface to the operating system: systemd, scheduling, alerts, the trash, and `culld doctor`."""
