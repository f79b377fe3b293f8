"""Pure tag writing: which bytes of which file change so that the defects can be read there."""
