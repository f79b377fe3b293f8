"""The subject of a photo: its faces, and whether they are in focus and in good light."""
