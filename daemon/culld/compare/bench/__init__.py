"""The bench of `culld compare bench`: every model of change and every defect model on frozen sets, as a table and a page."""
