"""Clips in the daemon and in `culld once`: read one at a time, in a worker process of their own."""
