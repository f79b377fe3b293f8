"""The subject of a photo: its faces, whether they are in focus, and the light on what the photo shows."""
