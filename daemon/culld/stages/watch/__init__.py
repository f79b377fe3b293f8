"""Finding photos: events name folders to scan, the scanner finds the files, the settler finds the complete ones."""
