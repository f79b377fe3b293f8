"""What `culld explain` needs of a defect network: its levels as a LiteRT graph, and its heads as arrays."""
