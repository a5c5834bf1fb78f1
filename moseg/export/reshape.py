"""Change the shape of objects before they are written: grow them, shrink them, swap sides."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import ConfigError

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Reshape:
    """What is done to the masks of every frame before a form writes them.

    Attributes:
        grow: pixels by which objects grow, or shrink where it is below 0.
        invert: swap the two values of a form that has two.
    """

    grow: int = 0
    invert: bool = False

    def labels(self, labels: Labels) -> Labels:
        """Object ids, uint8 [H, W], of objects that have grown or shrunk."""
        return reshape(labels, self.grow)

    def chosen(self, labels: Labels) -> NDArray[np.bool_]:
        """bool [H, W]: where an object is; with `invert` where none is."""
        return np.asarray((self.labels(labels) > 0) != self.invert)

    def refuse_invert(self, form: str) -> None:
        """For forms that hold ids, which have no opposite.

        Raises:
            ConfigError: `invert` is set.
        """
        if self.invert:
            raise ConfigError(
                f"{form} holds object ids, which have no opposite: leave out --invert, "
                "or choose a form with two values, such as binary"
            )


def reshape(labels: Labels, pixels: int) -> Labels:
    """Grow (`pixels` > 0) or shrink (< 0) every object; at 0 `labels` itself comes back.

    Distances are Euclidean, from pixel centre to pixel centre. Growing takes the background
    within `pixels` of an object; where several reach, the nearest takes it, at a tie the one of
    the lowest id. Shrinking gives up what is within `pixels` of the background or of another
    object; what lies outside the picture is neither.

    Args:
        labels: object ids, uint8 [H, W]; 0 is background.
    """
    if pixels > 0:
        return _grow(labels, pixels)
    if pixels < 0:
        return _shrink(labels, -pixels)
    return labels


def nearest_pixels(values: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`values` [H, W] at another height and width, by the nearest pixel: none is made up."""
    height, width = size
    resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.uint8)


def _grow(labels: Labels, pixels: int) -> Labels:
    # To itself an object is nearest, so none takes pixels of another.
    grown = labels.copy()
    nearest = np.full(labels.shape, np.inf, np.float32)
    for number, window in _objects(labels, margin=pixels):
        inside = labels[window] == number
        squared = _squared_distance(~inside)
        reached = (squared <= pixels**2) & (squared < nearest[window])
        nearest[window][reached] = squared[reached]
        grown[window][reached] = number
    return grown


def _shrink(labels: Labels, pixels: int) -> Labels:
    shrunk = labels.copy()
    for number, window in _objects(labels, margin=1):
        inside = labels[window] == number
        shrunk[window][inside & (_squared_distance(inside) <= pixels**2)] = 0
    return shrunk


def _objects(labels: Labels, margin: int) -> list[tuple[int, tuple[slice, slice]]]:
    """Ids in rising order, each with its box and `margin` pixels around it."""
    height, width = labels.shape
    windows = []
    for number in np.flatnonzero(np.bincount(labels.ravel(), minlength=256)[1:]) + 1:
        x, y, w, h = cv2.boundingRect((labels == number).view(np.uint8))
        rows = slice(max(0, y - margin), min(height, y + h + margin))
        columns = slice(max(0, x - margin), min(width, x + w + margin))
        windows.append((int(number), (rows, columns)))
    return windows


def _squared_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Squared distance of every pixel to the nearest where `mask` is False, a whole number;
    infinite where it is True everywhere."""
    if mask.all():
        return np.full(mask.shape, np.inf, np.float32)
    values = np.ascontiguousarray(mask).view(np.uint8)
    distance = cv2.distanceTransform(values, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.rint(distance * distance), np.float32)
