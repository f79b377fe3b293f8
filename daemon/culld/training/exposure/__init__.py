"""Fit the correction of over- and under-exposure by the subject, on subjects that are set on white and black grounds."""
