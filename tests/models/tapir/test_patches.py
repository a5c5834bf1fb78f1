"""Correlations against the definition: 49 bilinear samples of features, then dots."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from moseg.models.tapir.patches import correlate


def by_definition(grid: Tensor, features: Tensor, centres: Tensor) -> Tensor:
    """Sample 7x7 feature vectors around each point, zeros outside, and multiply."""
    _, height, width, _ = grid.shape
    reach = torch.arange(-3.0, 4)
    y, x = torch.meshgrid(reach, reach, indexing="ij")
    places = centres[:, :, None] + torch.stack((x, y), -1).view(49, 2)
    normal = places / torch.tensor([width, height]) * 2 - 1
    samples = F.grid_sample(
        grid.permute(0, 3, 1, 2), normal, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return (samples.permute(0, 2, 3, 1) * features[:, :, None]).sum(-1)


@settings(max_examples=40, deadline=None)
@given(
    frames=st.integers(1, 3),
    points=st.integers(1, 4),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    budget=st.sampled_from([1, 100, 10**6]),
    seed=st.integers(0, 2**16),
)
def test_correlations_are_as_defined(
    frames: int, points: int, height: int, width: int, budget: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    grid = torch.randn(frames, height, width, 5, generator=generator)
    features = torch.randn(frames, points, 5, generator=generator)
    centres = torch.rand(frames, points, 2, generator=generator) * 1.6 - 0.3
    centres = centres * torch.tensor([width, height])
    found = correlate(grid, features, centres, budget)
    assert torch.allclose(found, by_definition(grid, features, centres), atol=1e-4)


@pytest.mark.parametrize("place", [-40.0, 1e9, -1e30, float("inf")])
def test_far_outside_there_is_nothing(place: float) -> None:
    grid, features = torch.ones(1, 4, 4, 2), torch.ones(1, 1, 2)
    found = correlate(grid, features, torch.tensor([[[place, 2.0]]]), 100)
    assert found.shape == (1, 1, 49)
    assert not found.nan_to_num().any()
