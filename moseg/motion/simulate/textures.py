"""Textures: grey patterns that repeat without a seam, and their colours.

A few tiles of each pattern are made once a process; a paint's seed picks a tile, and shifts it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate.scene import Paint

Float32 = NDArray[np.float32]

SIDE = 128
"""Side of a tile in texels."""
PATTERNS = ("rough", "soft", "stripes", "cells", "bricks", "specks", "cloud", "plain")
_TILES = 6


def texture(paint: Paint) -> Float32:
    """The tile of a paint, RGB in 0..255, float32 [SIDE, SIDE, 3]; its edges fit together."""
    rng = np.random.default_rng(paint.seed)
    grey = _tile(paint.pattern, int(rng.integers(_TILES)))
    grey = np.roll(grey, rng.integers(0, SIDE, 2), axis=(0, 1))
    second = np.roll(_tile("soft", int(rng.integers(_TILES))), rng.integers(0, SIDE, 2), (0, 1))
    dark, light = paint.colours.astype(np.float32)
    tint = (rng.normal(0, 10, 3) * (paint.pattern != "plain")).astype(np.float32)
    colours = dark + grey[..., None] * (light - dark) + (second[..., None] - 0.5) * tint
    return np.asarray(np.clip(colours * np.float32(paint.gain), 0, 255), dtype=np.float32)


@cache
def _tile(pattern: str, number: int) -> Float32:
    """One grey tile in 0..1, float32 [SIDE, SIDE]."""
    rng = np.random.default_rng([number, PATTERNS.index(pattern)])
    make = _MAKERS[pattern]
    return np.asarray(np.clip(make(rng), 0, 1), dtype=np.float32)


def _noise(rng: np.random.Generator, slope: float) -> Float32:
    """Noise whose amplitude falls as 1 / frequency**slope, about 0..1."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :])
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.normal(size=(SIDE, SIDE))) * frequency**-slope
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    return np.asarray(0.5 + 0.22 * noise / noise.std(), dtype=np.float32)


def _stripes(rng: np.random.Generator) -> Float32:
    """Wavy stripes, hard or soft."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    across, down = rng.integers(-6, 7), rng.integers(1, 8)
    wave = np.sin(2 * np.pi * (across * x + down * y) + 4 * (_noise(rng, 2.0) - 0.5))
    soft = 0.5 + 0.5 * np.clip(wave * rng.uniform(1, 5), -1, 1)
    return np.asarray(0.8 * soft + 0.2 * _noise(rng, 1.0), dtype=np.float32)


def _cells(rng: np.random.Generator) -> Float32:
    """Stones: each point takes the grey of the nearest of a few seeds."""
    count = int(rng.integers(12, 40))
    seeds, greys = rng.uniform(0, SIDE, (count, 2)), rng.uniform(0, 1, count)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    gap = np.abs(np.stack([y, x], axis=-1)[:, :, None] - seeds)
    distance = np.square(np.minimum(gap, SIDE - gap)).sum(-1)
    return np.asarray(0.8 * greys[distance.argmin(-1)] + 0.2 * _noise(rng, 1.0), np.float32)


def _bricks(rng: np.random.Generator) -> Float32:
    """Rows of blocks with dark joints."""
    rows, columns = 2 * int(rng.integers(2, 5)), int(rng.integers(2, 6))
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    row = np.floor(y * rows).astype(int)
    along = (x * columns + 0.5 * (row % 2)) % columns
    greys = rng.uniform(0.4, 1, (rows, columns))
    joint = ((y * rows) % 1 < 0.12) | (along % 1 < 0.08)
    block = np.where(joint, 0.1, greys[row, np.floor(along).astype(int) % columns])
    return np.asarray(0.8 * block + 0.2 * _noise(rng, 1.0), dtype=np.float32)


def _specks(rng: np.random.Generator) -> Float32:
    """Light dots on a dark ground, or the other way round."""
    dots = np.zeros((SIDE, SIDE), np.float32)
    dots[rng.integers(0, SIDE, 120), rng.integers(0, SIDE, 120)] = 1
    padded = np.pad(dots, 16, mode="wrap")
    blurred = cv2.GaussianBlur(padded, (0, 0), rng.uniform(1.2, 3))[16:-16, 16:-16]
    grey = 0.15 + 0.8 * np.clip(blurred / blurred.max() * 1.5, 0, 1)
    return np.asarray(grey if rng.random() < 0.5 else 1 - grey, dtype=np.float32)


def _plain(rng: np.random.Generator) -> Float32:
    """Hardly anything."""
    return np.asarray(0.45 + 0.1 * _noise(rng, 1.0), np.float32)


_MAKERS: dict[str, Callable[[np.random.Generator], Float32]] = {
    "rough": lambda rng: _noise(rng, 1.0),
    "soft": lambda rng: _noise(rng, 2.0),
    "stripes": _stripes,
    "cells": _cells,
    "bricks": _bricks,
    "specks": _specks,
    "cloud": lambda rng: _noise(rng, 1.5),
    "plain": _plain,
}
