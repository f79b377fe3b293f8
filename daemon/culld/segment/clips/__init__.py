"""The judgement of clips: movement of the camera, black and frozen pictures, and the verdict; pure functions."""
