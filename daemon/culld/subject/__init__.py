"""Judge the subject of a photo: faces, their focus, the light on the subject."""
