"""Near-duplicates: groups of photos with almost equal perceptual hashes."""
