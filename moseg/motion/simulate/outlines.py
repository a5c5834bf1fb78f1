"""Outlines of flat patches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate.paths import Rng
from moseg.motion.simulate.scene import ANGLES, UNBOUNDED, Outline

Array = NDArray[np.float64]

DIRECTIONS = 2 * np.pi * np.arange(ANGLES) / ANGLES
UNITS = np.stack([np.cos(DIRECTIONS), np.sin(DIRECTIONS)], axis=1)
"""Unit vectors of the directions, [A, 2]."""
_PARALLEL = 1e-6


def endless() -> Outline:
    """No outline at all."""
    return Outline(np.full(ANGLES, UNBOUNDED), np.ones(2))


def _stretched(radius: Array, width: float, height: float) -> Outline:
    """A form of radius one in a full width and height."""
    return Outline(radius, np.array([width / 2, height / 2]))


def ellipse(width: float, height: float) -> Outline:
    """An ellipse of a full width and height."""
    return _stretched(np.ones(ANGLES), width, height)


def rectangle(width: float, height: float) -> Outline:
    """A rectangle of a full width and height."""
    return _stretched(1 / np.abs(UNITS).max(axis=1), width, height)


def limb(width: float, length: float) -> Outline:
    """A long patch with round ends."""
    return _stretched((np.abs(UNITS) ** 4).sum(axis=1) ** -0.25, width, length)


def blob(rng: Rng, width: float, height: float, rough: float = 0.25) -> Outline:
    """A round thing with bumps and bays."""
    shape = np.ones(ANGLES)
    for waves in range(2, 8):
        size = rough * rng.normal() / waves
        shape += size * np.cos(waves * DIRECTIONS + rng.uniform(0, 2 * np.pi))
    return _stretched(np.clip(shape, 0.35, 1.6), width, height)


def triangle(width: float, height: float) -> Outline:
    """A triangle with a level base and its top in the middle."""
    return _stretched(_polygon(np.array([(1.0, 1.0), (-1.0, 1.0), (0.0, -1.0)])), width, height)


def _polygon(corners: Array) -> Array:
    """Radii of a polygon around the origin, corners (x, y) in the order of their angles, [A]."""
    side = np.roll(corners, -1, axis=0) - corners
    turn = UNITS[:, None, 0] * side[None, :, 1] - UNITS[:, None, 1] * side[None, :, 0]
    turn = np.where(np.abs(turn) < _PARALLEL, _PARALLEL, turn)
    radius = (corners[:, 0] * side[:, 1] - corners[:, 1] * side[:, 0]) / turn
    beside = corners[:, 0] * UNITS[:, None, 1] - corners[:, 1] * UNITS[:, None, 0]
    share = beside / turn
    crossed = (radius > 0) & (share >= -_PARALLEL) & (share <= 1 + _PARALLEL)
    return np.asarray(np.where(crossed, radius, np.inf).min(axis=1))


def shard(rng: Rng, width: float, height: float) -> Outline:
    """A polygon of four to eight corners in no particular form."""
    count = int(rng.integers(4, 9))
    angles = (np.arange(count) + rng.uniform(-0.3, 0.3, count)) * 2 * np.pi / count
    radius = rng.uniform(0.6, 1.1, count)
    corners = radius * np.stack([np.cos(angles), np.sin(angles)])
    return _stretched(_polygon(np.asarray(corners.T)), width, height)


def star(points: int, width: float, height: float, depth: float) -> Outline:
    """A star with straight rays; `depth` is how far in its bays reach, 0..1."""
    angles = np.arange(2 * points) * np.pi / points
    radius = np.where(np.arange(2 * points) % 2 == 0, 1.0, 1 - depth)
    corners = radius * np.stack([np.cos(angles), np.sin(angles)])
    return _stretched(_polygon(np.asarray(corners.T)), width, height)


def cog(teeth: int, size: float, depth: float) -> Outline:
    """A wheel with teeth."""
    return _stretched(np.where(np.sin(teeth * DIRECTIONS) > 0, 1 - depth, 1.0), size, size)
