"""The memory of culld: every intent before it is carried out, every outcome after."""
