"""Foundation models: networks of `transformers` with the official weights, sizes and positions."""
