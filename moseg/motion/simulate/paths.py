"""Small mathematics of movement: turns, easing, smooth noise, sizes drawn on a log scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rng = np.random.Generator


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """A number between low and high, as likely to be doubled as halved."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def either(rng: Rng) -> float:
    """1 or -1."""
    return 1.0 if rng.random() < 0.5 else -1.0


def turned(x: Array | float = 0.0, y: Array | float = 0.0, z: Array | float = 0.0) -> Array:
    """Rotations about x, then y, then z by angles in radians, [T] or one; [..., 3, 3]."""
    about_x, about_y, about_z = np.broadcast_arrays(x, y, z)
    return _about(about_z, 0, 1) @ _about(about_y, 2, 0) @ _about(about_x, 1, 2)


def _about(angle: Array, first: int, second: int) -> Array:
    rotation = np.zeros((*angle.shape, 3, 3)) + np.eye(3)
    rotation[..., first, first] = rotation[..., second, second] = np.cos(angle)
    rotation[..., first, second] = -np.sin(angle)
    rotation[..., second, first] = np.sin(angle)
    return rotation


def eased(frames: int, start: float, stop: float) -> Array:
    """0 before frame `start`, 1 after `stop`, smooth between, [T]."""
    share = np.clip((np.arange(frames) - start) / max(stop - start, 1e-6), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def wander(rng: Rng, frames: int, size: float, calm: float) -> Array:
    """A random walk without steps: a few sines, about `size` large, `calm` frames a swing; [T]."""
    time = np.arange(frames)[:, None]
    periods = calm * np.exp(rng.uniform(-0.5, 0.9, 4))
    phases = rng.uniform(0, 2 * np.pi, 4)
    return np.asarray(size * np.sin(2 * np.pi * time / periods + phases).mean(axis=1) * 2)


def centred(path: Array, frame: int) -> Array:
    """The path [T, ...] moved so that it passes through zero in a frame."""
    return np.asarray(path - path[frame])
