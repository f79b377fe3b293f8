"""Reading photos: which format a file has, its pixels at the network's size, its camera facts, what belongs to it."""
