"""Finding photos: events are hints, the scanner is the truth, settling says which files are complete."""
