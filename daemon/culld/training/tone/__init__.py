"""The recipe of the network that repairs exposure: it learns the tone curve that undoes a wrong exposure of a photo."""
