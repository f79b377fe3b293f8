"""The repaired copies that the daemon makes: asked for, made one at a time, and taken back."""
