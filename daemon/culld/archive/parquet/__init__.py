"""The folder of an archive: its schema, its rows, and which row of a photo is the last."""
