"""Reading features at points."""

from __future__ import annotations

import torch

from moseg.models.tapir.grids import Grids, VideoFeatures
from moseg.models.tapir.queries import query_features


def ramp() -> VideoFeatures:
    """Grids of 3 frames of 32x64 pixels; channel 0 is the frame, 1 the y and 2 the x of a cell."""

    def grid(height: int, width: int, channels: int) -> torch.Tensor:
        axes = (torch.arange(3.0), torch.arange(height) + 0.5, torch.arange(width) + 0.5)
        places = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
        return torch.cat((places, torch.zeros(3, height, width, channels - 3)), -1)

    grids = Grids((grid(8, 16, 128), grid(4, 8, 256)))
    return VideoFeatures((32, 64), ((32, 64), (32, 64)), {(32, 64): grids})


def test_features_are_interpolated_between_cells_and_frames() -> None:
    tyx = torch.tensor([[0.0, 16, 40], [1.25, 9, 30], [2, 28, 4]])
    lowres, hires = query_features(ramp(), tyx).levels[0]
    scale = torch.tensor([1, 8, 8])
    assert torch.allclose(lowres[:, :3], tyx / scale, atol=1e-5)
    assert torch.allclose(hires[:, :3], tyx / torch.tensor([1, 4, 4]), atol=1e-5)


def test_outside_the_border_counts() -> None:
    tyx = torch.tensor([[-1.0, -5, -5], [9, 32, 64]])
    lowres, _ = query_features(ramp(), tyx).levels[1]
    assert lowres[:, :3].tolist() == [[0, 0.5, 0.5], [2, 3.5, 7.5]]
