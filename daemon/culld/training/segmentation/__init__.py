"""The recipe of the network that segments defects: composites with exact masks, U-Net, training, figures."""
