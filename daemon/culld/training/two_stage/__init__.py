"""The two-stage training of a whole network on KADIS-like data."""
