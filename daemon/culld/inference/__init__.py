"""Running networks: their cards, engines (LiteRT, TensorFlow), and the worker and GPU processes."""
