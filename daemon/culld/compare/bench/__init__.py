"""The bench of `culld compare bench`: all models on frozen sets, as a table and as a page."""
