"""Networks that find what changed between two frames: the drawn pairs that they learn from, training and measuring."""
