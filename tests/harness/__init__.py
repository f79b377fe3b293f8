"""What the tests share: processes, kill points, mounts, and builders of files and records."""
