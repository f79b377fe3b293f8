"""Regions of a photo: which parts are blurred, crushed, clipped, compressed or noisy, as masks and contours."""
