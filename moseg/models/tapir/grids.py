"""Feature grids of a video, and a window of them that moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from moseg.models.tapir.schedule import Resolution


@dataclass(frozen=True)
class Grids:
    """Features of T frames at one resolution (h, w), of length one at each cell.

    Attributes:
        pyramid: hires [T, h/4, w/4, 128], lowres [T, h/8, w/8, 256], then lowres averaged over
            2x2 cells, once for each further level.
    """

    pyramid: tuple[Tensor, ...]

    @classmethod
    def of(cls, hires: Tensor, lowres: Tensor, levels: int, dtype: torch.dtype) -> Grids:
        """Average `lowres` `levels` times and store everything as `dtype`."""
        pyramid = [hires, lowres]
        for _ in range(levels):
            image = pyramid[-1].permute(0, 3, 1, 2)
            pyramid.append(F.avg_pool2d(image, 2).permute(0, 2, 3, 1).contiguous())
        return cls(tuple(grid.to(dtype) for grid in pyramid))

    @property
    def hires(self) -> Tensor:
        """[T, h/4, w/4, 128]."""
        return self.pyramid[0]

    @property
    def lowres(self) -> Tensor:
        """[T, h/8, w/8, 256]."""
        return self.pyramid[1]

    def frames(self, part: slice) -> Grids:
        """Return the grids of some of the frames; a view."""
        return Grids(tuple(grid[part] for grid in self.pyramid))


@dataclass(frozen=True)
class VideoFeatures:
    """All that tracking needs of T frames.

    Attributes:
        size: height and width of the video, in whose pixels queries and tracks are given.
        schedule: the resolution of initialisation, then that of each level of refinement.
        grids: of each distinct resolution.
    """

    size: Resolution
    schedule: tuple[Resolution, ...]
    grids: Mapping[Resolution, Grids]

    def __len__(self) -> int:
        return len(self.initial.lowres)

    def frames(self, part: slice) -> VideoFeatures:
        """Return the features of some of the frames; a view."""
        grids = {resolution: grids.frames(part) for resolution, grids in self.grids.items()}
        return VideoFeatures(self.size, self.schedule, grids)

    @property
    def initial(self) -> Grids:
        """The grids of initialisation."""
        return self.grids[self.schedule[0]]

    @property
    def levels(self) -> list[Grids]:
        """Grids in the order of the schedule."""
        return [self.grids[resolution] for resolution in self.schedule]


class GridWindow:
    """Features of the last frames of a video, in memory that is taken once.

    Frames are appended at the end and dropped at the beginning, so that a video of any length
    is tracked in windows while each frame is encoded once.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self._room: VideoFeatures | None = None

    def append(self, features: VideoFeatures) -> None:
        """Copy the features of the next frames; there must be room for them."""
        if self.count + len(features) > self.capacity:
            raise ValueError(f"{len(features)} frames more than {self.capacity}")
        if self._room is None:
            self._room = _empty_like(features, self.capacity)
        for resolution, grids in features.grids.items():
            room = self._room.grids[resolution]
            for held, new in zip(room.pyramid, grids.pyramid, strict=True):
                held[self.count : self.count + len(new)] = new
        self.count += len(features)

    def drop(self, count: int) -> None:
        """Forget the first `count` frames."""
        if count and self._room is not None:
            for grids in self._room.grids.values():
                for held in grids.pyramid:
                    # Frame by frame: the two places may overlap.
                    for frame in range(count, self.count):
                        held[frame - count] = held[frame]
        self.count -= count

    @property
    def features(self) -> VideoFeatures:
        """The frames held now; a view that the next change overwrites."""
        if self._room is None:
            raise ValueError("no frame was appended yet")
        return self._room.frames(slice(self.count))


def _empty_like(features: VideoFeatures, frames: int) -> VideoFeatures:
    grids = {
        resolution: Grids(tuple(g.new_empty(frames, *g.shape[1:]) for g in grids.pyramid))
        for resolution, grids in features.grids.items()
    }
    return VideoFeatures(features.size, features.schedule, grids)
