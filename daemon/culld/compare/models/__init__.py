"""The models of change, one module each; a new module with a `MODEL` is a new model."""
