"""The only code that changes files: opened beneath a root, published atomically, moved without ever replacing."""
