"""Synthetic clips with exact flow and true labels, for the densifier's tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.light.densify import PointLabels

Centres = list[tuple[float, float]]


def disc(size: tuple[int, int], centre: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    """Mask of a disc; ``centre`` is (x, y)."""
    y, x = np.mgrid[: size[0], : size[1]]
    return np.asarray((x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2)


@dataclass
class DiscClip:
    """Discs on a still textured ground; a later disc lies in front of the earlier ones."""

    paths: list[Centres]
    radius: float = 14.0
    size: tuple[int, int] = (80, 120)
    spacing: int = 5
    hidden: frozenset[int] = frozenset()
    labels: str = "true"

    def __len__(self) -> int:
        return len(self.paths[0])

    def owner(self, index: int) -> NDArray[np.uint8]:
        """0 for the ground, 1.. for the disc seen at each pixel."""
        owner = np.zeros(self.size, np.uint8)
        for number, path in enumerate(self.paths, start=1):
            owner[disc(self.size, path[index], self.radius)] = number
        return owner

    def rgb(self, index: int) -> NDArray[np.uint8]:
        generator = np.random.default_rng(7)
        ground = generator.integers(90, 130, (*self.size, 3))
        colours = np.array([[0, 0, 0], [220, 60, 40], [40, 80, 220], [230, 220, 40]])
        owner = self.owner(index)
        painted = np.where(owner[..., None] > 0, colours[owner], ground)
        return painted.astype(np.uint8)

    def _flow(self, here: int, there: int) -> NDArray[np.float16]:
        flow = np.zeros((*self.size, 2), np.float16)
        owner = self.owner(here)
        for number, path in enumerate(self.paths, start=1):
            flow[owner == number] = np.subtract(path[there], path[here])
        return flow

    def forward(self, index: int) -> NDArray[np.float16]:
        return self._flow(index, index + 1)

    def backward(self, index: int) -> NDArray[np.float16]:
        return self._flow(index + 1, index)

    def points(self, index: int) -> PointLabels:
        half = self.spacing // 2
        y, x = np.mgrid[half : self.size[0] : self.spacing, half : self.size[1] : self.spacing]
        xy = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
        moving = self.owner(index)[y.ravel(), x.ravel()] > 0
        if self.labels == "none" or index in self.hidden:
            moving = np.zeros_like(moving)
        log_odds = np.where(moving, 3, -3).astype(np.float32)
        return PointLabels(xy, log_odds, np.ones(len(xy), np.float32))


def line(start: tuple[float, float], step: tuple[float, float], count: int) -> Centres:
    """Centres along a straight path."""
    return [(start[0] + i * step[0], start[1] + i * step[1]) for i in range(count)]


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks that are not both empty."""
    return float((first & second).sum() / (first | second).sum())
