"""What `benchmark_ray.py` measures and simulates."""
