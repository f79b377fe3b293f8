"""The wishes of people: the file of a wish, which the review page writes and the daemon reads."""
