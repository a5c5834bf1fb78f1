"""Simulated scenes with truth, to learn from: what moves, and what only seems to."""
