"""The use cases of culld, one per module, and `build`, which builds the pipeline from a configuration."""
