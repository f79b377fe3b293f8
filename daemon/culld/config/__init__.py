"""The configuration: its schema, its loader, its problems; the only place that knows YAML."""
