"""The training wing: from clean photographs to a model with its card."""
