"""Heat maps: where in a photo the network sees a defect, and how far that can be trusted."""
