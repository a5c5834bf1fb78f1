"""The two ways that `benchmark_masks.py` compares."""
