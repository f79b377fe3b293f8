"""The recipe of the network that repairs JPEG compression: it learns what compression took from a photo."""
