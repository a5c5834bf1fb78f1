"""Position embeddings of DINOv2 at any size and stride, resampled as its authors do.

`transformers` asks for the exact output size; the official code gives scale factors with an
offset of 0.1, whose sampling grid differs a little. Tokens then differ by 2e-3 and more.
"""

from __future__ import annotations

from types import MethodType

import torch
from torch.nn import functional
from transformers.models.dinov2.modeling_dinov2 import Dinov2Embeddings

OFFSET = 0.1
"""Added to the number of cells before the scale factor is taken (DINOv2, 2023)."""


def use_official_positions(embeddings: Dinov2Embeddings) -> None:
    """Replace the position interpolation of this one module by the official rule.

    It follows the stride of the patch projection, whatever that is at the time of the call.
    """
    embeddings.interpolate_pos_encoding = MethodType(_positions_of, embeddings)  # type: ignore[method-assign]


def token_grid(height: int, width: int, patch: int, stride: int) -> tuple[int, int]:
    """Return the rows and columns of tokens of an image of `height` x `width` pixels."""
    return 1 + (height - patch) // stride, 1 + (width - patch) // stride


def resampled_positions(table: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Resample a square table of positions to a grid of tokens, bicubic, in float32.

    Args:
        table: [1, 1 + n * n, C]; the first is the class token's, which stays as it is.
        grid: rows and columns wanted.

    Returns:
        float32 [1, 1 + rows * columns, C].
    """
    channels = table.shape[-1]
    side = round((table.shape[1] - 1) ** 0.5)
    square = table[:, 1:].float().reshape(1, side, side, channels).permute(0, 3, 1, 2)
    resampled = functional.interpolate(
        square,
        scale_factor=((grid[0] + OFFSET) / side, (grid[1] + OFFSET) / side),
        mode="bicubic",
        align_corners=False,
        recompute_scale_factor=False,
    )
    assert resampled.shape[-2:] == grid
    return torch.cat([table[:, :1].float(), resampled.flatten(2).transpose(1, 2)], dim=1)


def _positions_of(
    self: Dinov2Embeddings,
    embeddings: torch.Tensor,  # noqa: ARG001
    height: int,
    width: int,
) -> torch.Tensor:
    projection = self.patch_embeddings.projection
    grid = token_grid(height, width, projection.kernel_size[0], projection.stride[0])
    table = self.position_embeddings
    if grid[0] * grid[1] == table.shape[1] - 1 and height == width:
        return table
    return resampled_positions(table, grid)
