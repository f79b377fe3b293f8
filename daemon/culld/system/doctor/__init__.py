"""The checks of `culld doctor`, each with its result and the command that repairs the problem."""
