"""The stage `decide`: from scores, user metadata and policy to a verdict and its reason."""
