"""The only code that changes photos: they are opened below a root, rewritten atomically, moved without replacing."""
