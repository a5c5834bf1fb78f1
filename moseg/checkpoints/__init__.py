"""Checkpoints: the manifest of known ones, where they lie, and how they are read."""
