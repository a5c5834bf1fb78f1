"""Features of overlapping windows of a video; every frame is decoded and encoded once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from moseg.models.tapir.grids import GridWindow, VideoFeatures
from moseg.models.tapir.model import Tapir

if TYPE_CHECKING:
    from moseg.preproc.tracks.tapir import TapirParams

RGB = NDArray[np.uint8]


class FeatureWindows:
    """Moves forward through a video; what no later window needs is dropped.

    Args:
        network: on its device.
        frames: all frames of the scene, RGB uint8 [H, W, 3].
        length: frames of every window.
        params: resolution, chunk and number format.
    """

    def __init__(
        self, network: Tapir, frames: Iterator[RGB], length: int, params: TapirParams
    ) -> None:
        self._network = network
        self._frames = frames
        self._length = length
        self._params = params
        self._held = GridWindow(length)
        self._next = 0

    def features(self, start: int) -> VideoFeatures:
        """Return the features of the window that begins at `start`, no earlier than the last one.

        They are overwritten by the next call.
        """
        first = self._next - self._held.count
        self._held.drop(min(start - first, self._held.count))
        for _ in range(start - self._next):
            next(self._frames)
        self._next = max(self._next, start)
        while self._next < start + self._length:
            count = min(self._params.chunk, start + self._length - self._next)
            self._held.append(self._encode(list(islice(self._frames, count))))
            self._next += count
        return self._held.features

    def _encode(self, frames: list[RGB]) -> VideoFeatures:
        params = self._params
        side = params.resolution
        small = np.stack([resize_lanczos(frame, side) for frame in frames])
        device = next(self._network.parameters()).device
        pixels = torch.from_numpy(small).to(device)
        return self._network.encode(pixels, chunk=params.chunk, dtype=getattr(torch, params.grids))


def resize_lanczos(frame: RGB, side: int) -> RGB:
    """Return a frame as `side` x `side` pixels, its aspect ratio lost, as the reference does."""
    return np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.LANCZOS))
