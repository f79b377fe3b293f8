"""Object storage: the addresses of objects, their listing, and copies of them on this machine."""
