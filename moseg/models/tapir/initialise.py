"""The first guess: each frame is searched for each point, independent of other frames."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SOFT_ARGMAX_RADIUS = 5
"""Cells around the best one that the position is averaged over."""


class CostVolumeHeads(nn.Module):
    """Reads position, occlusion and distance off the similarity of a point with a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.hid1 = nn.Conv2d(1, 16, 3, padding=1)
        self.hid2 = nn.Conv2d(16, 1, 3, padding=1)
        self.hid3 = nn.Conv2d(16, 32, 3, stride=2)
        self.hid4 = nn.Linear(32, 16)
        self.occ_out = nn.Linear(16, 2)

    def forward(self, costs: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """Read cost maps float32 [B, h, w].

        Returns:
            Probability of each cell [B, h, w], and logits (occlusion, distance) [B, 2].
        """
        # With one channel any layout is channels last; the strides only have to say so.
        image = costs.unsqueeze(-1).permute(0, 3, 1, 2)
        hidden = F.relu_(self.hid1(image))
        heat = self.hid2(hidden).flatten(1)
        probability = torch.softmax(heat * temperature, 1).view(costs.shape)
        pooled = F.relu_(self.hid3(F.pad(hidden, (0, 1, 0, 1)))).mean((2, 3))
        return probability, self.occ_out(F.relu_(self.hid4(pooled)))


def soft_argmax(probability: Tensor) -> Tensor:
    """Return the mean position around the most probable cell.

    Args:
        probability: float32 [B, h, w].

    Returns:
        (x, y) in cells, float32 [B, 2]; the first cell's middle is 0.5.
    """
    height, width = probability.shape[1:]
    x = torch.arange(width, device=probability.device, dtype=torch.float32) + 0.5
    y = torch.arange(height, device=probability.device, dtype=torch.float32) + 0.5
    best = probability.flatten(1).argmax(1)
    from_x = (x - x[best % width, None]).square()
    from_y = (y - y[best // width, None]).square()
    near = from_y[:, :, None] + from_x[:, None, :] < SOFT_ARGMAX_RADIUS**2
    kept = probability * near
    columns, rows = kept.sum(1), kept.sum(2)
    total = columns.sum(1).clamp(min=1e-12)
    return torch.stack((columns @ x, rows @ y), 1) / total[:, None]


def initialise(
    heads: CostVolumeHeads, lowres: Tensor, points: Tensor, temperature: float, budget: int
) -> tuple[Tensor, Tensor]:
    """Find N points in each of T frames.

    Args:
        lowres: grid [T, h, w, 256].
        points: lowres features of the points, float32 [N, 256].
        budget: how many cost maps are read at once, at least one frame's.

    Returns:
        (x, y) in cells of the grid, float32 [T, N, 2], and logits (occlusion, distance),
        float32 [T, N, 2].
    """
    step = max(1, budget // max(1, len(points)))
    positions, logits = [], []
    for grid in torch.split(lowres, step):
        costs = torch.matmul(points, grid.float().flatten(1, 2).transpose(1, 2))
        probability, pair = heads(costs.view(-1, *grid.shape[1:3]), temperature)
        positions.append(soft_argmax(probability).view(len(grid), len(points), 2))
        logits.append(pair.view(len(grid), len(points), 2))
    return torch.cat(positions), torch.cat(logits)


def pin(positions: Tensor, frames: Tensor, known: Tensor) -> Tensor:
    """Return positions [T, N, 2] with those on the query frames [N] replaced by `known` [N, 2].

    A time between two frames counts as the even one of them.
    """
    times = torch.arange(len(positions), device=positions.device)
    on_query = times[:, None] == frames.round()
    return torch.where(on_query[..., None], known, positions)
