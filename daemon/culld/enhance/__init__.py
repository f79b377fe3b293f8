"""Repaired copies of photos: of JPEG compression and of exposure; each is kept only if it is measurably better."""
