"""Heads that are trained to look at given places: how far a heat map can be trusted. No such head is ever a default."""
