"""Putting pictures over each other into one frame, and keeping count of what covers what."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.sample.textures import Picture
from moseg.sample.view import Matrix, View

Cover = NDArray[np.uint8]


class Exposure:
    """A frame in the making: pictures are laid on it from far to near.

    `rgb` is uint8 [H, W, 3]. Of each object the share of every pixel that it covers and
    nothing nearer hides is kept, 0..255.
    """

    def __init__(self, view: View) -> None:
        self.rgb = np.zeros((view.height, view.width, 3), np.uint8)
        self._covers: dict[int, Cover] = {}

    def lay(self, picture: Picture, matrix: Matrix, owner: int = 0) -> None:
        """Lay a picture over the frame; `owner` is the object it is part of, 0 for scenery.

        `matrix` is the homography from picture pixels to frame pixels.
        """
        placed = self._place(picture, matrix)
        if placed is None:
            return
        rows, columns, warped = placed
        self._blend(rows, columns, warped)
        self._count(rows, columns, warped[..., 3], owner)

    def shade(self, picture: Picture, matrix: Matrix) -> None:
        """Lay a shadow over the frame; what it falls on still counts as seen."""
        placed = self._place(picture, matrix)
        if placed is not None:
            self._blend(*placed)

    def ids(self) -> NDArray[np.uint8]:
        """Object that covers most of each pixel, where that is more than half; else 0."""
        ids = np.zeros(self.rgb.shape[:2], np.uint8)
        for owner, cover in self._covers.items():
            ids[cover > 127] = owner
        return ids

    def _place(self, picture: Picture, matrix: Matrix) -> tuple[slice, slice, Picture] | None:
        """The picture as seen in the frame, cut to the rows and columns it can reach."""
        height, width = picture.shape[:2]
        x, y = np.array([-1, width, width, -1]), np.array([-1, -1, height, height])
        corners = matrix @ np.stack([x, y, np.ones(4)])
        corners = corners[:2] / corners[2]
        low = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
        high = np.minimum(
            np.ceil(corners.max(axis=1)).astype(int) + 1, (self.rgb.shape[1], self.rgb.shape[0])
        )
        if (high <= low).any():
            return None
        moved = matrix.copy()
        moved[:2] -= low[:, None] * matrix[2]
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        flags = cv2.INTER_CUBIC
        if moved[2, 0] == 0 and moved[2, 1] == 0:
            warped = cv2.warpAffine(picture, moved[:2] / moved[2, 2], size, flags=flags)
        else:
            warped = cv2.warpPerspective(picture, moved, size, flags=flags)
        rows, columns = slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
        return rows, columns, np.asarray(warped, np.uint8)

    def _blend(self, rows: slice, columns: slice, warped: Picture) -> None:
        below = self.rgb[rows, columns]
        opacity = cv2.cvtColor(warped[..., 3], cv2.COLOR_GRAY2RGB)
        colours = cv2.min(cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB), opacity)
        shown = cv2.multiply(below, cv2.bitwise_not(opacity), scale=1 / 255)
        self.rgb[rows, columns] = cv2.add(shown, colours)

    def _count(self, rows: slice, columns: slice, opacity: Cover, owner: int) -> None:
        for cover in self._covers.values():
            part = cover[rows, columns]
            cover[rows, columns] = cv2.multiply(part, 255 - opacity, scale=1 / 255)
        if owner:
            if owner not in self._covers:
                self._covers[owner] = np.zeros(self.rgb.shape[:2], np.uint8)
            part = self._covers[owner][rows, columns]
            self._covers[owner][rows, columns] = cv2.add(part, opacity)
