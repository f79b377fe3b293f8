"""The use cases, callable by any face of culld, and `build`, which makes running objects out of a configuration."""
