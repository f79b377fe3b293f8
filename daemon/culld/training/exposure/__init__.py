"""Fit the correction of exposure by the subject, on subjects that are set on white and black grounds."""
