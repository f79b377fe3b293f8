"""The quarantine: moving rejected photos into it, the record beside each photo, and restoring photos."""
