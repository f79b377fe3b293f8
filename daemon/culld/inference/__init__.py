"""The network at work: its card, its engine, and the worker processes that run it."""
