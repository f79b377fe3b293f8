"""The recipe of the defect network."""
