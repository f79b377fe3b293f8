"""One parser for each container format that tags are written into."""
