"""Subjects that are set on white and black grounds: the label follows the subject."""
