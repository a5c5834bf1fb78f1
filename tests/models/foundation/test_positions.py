"""Resampled position embeddings."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from moseg.models.foundation.positions import resampled_positions, token_grid
from tests.models.foundation.small import small_dinov2

SIDE = 37


@pytest.fixture(scope="module")
def table():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, 1 + SIDE * SIDE, 4, generator=generator)


@pytest.mark.parametrize(
    ("size", "stride", "grid"),
    [((490, 854), 7, (69, 121)), ((518, 518), 14, (37, 37)), ((14, 28), 7, (1, 3))],
)
def test_grid_of_tokens(size, stride, grid):
    assert token_grid(*size, 14, stride) == grid


def test_every_grid_comes_out_as_asked(table):
    for rows, columns in [(1, 1), (2, 1), (36, 37), (37, 37), (38, 12), (69, 121), (100, 3)]:
        assert resampled_positions(table, (rows, columns)).shape == (1, 1 + rows * columns, 4)


def cubic(x):
    """Weight of a sample at distance x: Keys' kernel with a = -0.75, as PyTorch's."""
    a, x = -0.75, abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def test_samples_lie_where_the_official_scale_puts_them(table):
    """One token, computed by hand: the offset of 0.1 moves every sample a little."""
    rows, columns, i, j = 5, 9, 3, 7
    square = table[0, 1:].reshape(SIDE, SIDE, 4)
    y = (i + 0.5) * SIDE / (rows + 0.1) - 0.5
    x = (j + 0.5) * SIDE / (columns + 0.1) - 0.5
    expected = torch.zeros(4)
    for r in range(int(y) - 1, int(y) + 3):
        for c in range(int(x) - 1, int(x) + 3):
            expected += cubic(y - r) * cubic(x - c) * square[min(r, 36), min(c, 36)]
    resampled = resampled_positions(table, (rows, columns))
    assert torch.allclose(resampled[0, 1 + i * columns + j], expected, atol=1e-5)
    assert torch.equal(resampled[:, 0], table[:, 0])
    stock = functional.interpolate(
        square.permute(2, 0, 1)[None], size=(rows, columns), mode="bicubic"
    )
    assert (stock[0, :, i, j] - expected).abs().max() > 1e-2


def test_the_module_takes_its_stride_from_the_projection():
    embeddings = small_dinov2().embeddings
    stored = embeddings.position_embeddings
    unused = torch.empty(0)
    assert embeddings.interpolate_pos_encoding(unused, 518, 518) is stored
    assert embeddings.interpolate_pos_encoding(unused, 70, 98).shape == (1, 1 + 5 * 7, 32)
    embeddings.patch_embeddings.projection.stride = (7, 7)
    assert embeddings.interpolate_pos_encoding(unused, 70, 98).shape == (1, 1 + 9 * 13, 32)
    assert embeddings.interpolate_pos_encoding(unused, 266, 266) is stored
    # 1369 tokens of another shape are resampled all the same.
    strip = embeddings.interpolate_pos_encoding(unused, 14, 14 + 7 * 1368)
    assert strip.shape == stored.shape
    assert not torch.equal(strip, stored)


def test_half_precision_tables_are_resampled_in_full(table):
    assert resampled_positions(table.half(), (5, 6)).dtype == torch.float32
