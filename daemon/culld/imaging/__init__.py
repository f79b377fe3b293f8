"""Recognising the format of a file, and decoding it to pixels."""
