"""Features of query points: what tracking looks for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from moseg.models.tapir.grids import VideoFeatures


@dataclass(frozen=True)
class QueryFeatures:
    """Features of N points, read from grids; not of length one any more.

    Attributes:
        levels: (lowres float32 [N, 256], hires float32 [N, 128]) for each entry of the schedule.
    """

    levels: tuple[tuple[Tensor, Tensor], ...]

    def __len__(self) -> int:
        return len(self.levels[0][0])

    def rows(self, part: slice) -> QueryFeatures:
        """Return the features of some of the points."""
        return QueryFeatures(tuple((lowres[part], hires[part]) for lowres, hires in self.levels))


def query_features(features: VideoFeatures, tyx: Tensor) -> QueryFeatures:
    """Read the grids at points float32 [N, 3]: frame, y, x in raster coordinates of the video."""
    found = {
        resolution: (
            _trilinear(grids.lowres, _to_cells(tyx, grids.lowres, features.size)),
            _trilinear(grids.hires, _to_cells(tyx, grids.hires, features.size)),
        )
        for resolution, grids in features.grids.items()
    }
    return QueryFeatures(tuple(found[resolution] for resolution in features.schedule))


def _to_cells(tyx: Tensor, grid: Tensor, size: tuple[int, int]) -> Tensor:
    """Return indices into a grid [T, h, w, C], kept inside it."""
    frames, height, width = grid.shape[:3]
    scale = tyx.new_tensor((1, height / size[0], width / size[1]))
    last = tyx.new_tensor((frames - 1, height - 1, width - 1))
    indices = tyx * scale - tyx.new_tensor((0, 0.5, 0.5))
    return indices.clamp(min=0).minimum(last)


def _trilinear(grid: Tensor, indices: Tensor) -> Tensor:
    """Sample a grid [T, h, w, C] at fractional indices [N, 3] inside it; float32 [N, C]."""
    last = torch.tensor(grid.shape[:3], device=grid.device) - 1
    low = indices.floor()
    weight = torch.stack((1 - (indices - low), indices - low))
    corners = torch.stack((low.long(), (low.long() + 1).minimum(last)))
    total = grid.new_zeros(len(indices), grid.shape[3], dtype=torch.float32)
    for t, y, x in product((0, 1), repeat=3):
        share = weight[t, :, 0] * weight[y, :, 1] * weight[x, :, 2]
        values = grid[corners[t, :, 0], corners[y, :, 1], corners[x, :, 2]]
        total += share[:, None] * values.float()
    return total
