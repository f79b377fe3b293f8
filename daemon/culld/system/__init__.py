"""The machine around culld: systemd, scheduling, the doctor."""
