"""Features of single frames: a small residual network and, for some weights, extra convolutions.

Everything is laid out channels last: tensors are [n, c, h, w] whose memory is [n, h, w, c].
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOWRES_CHANNELS = 256
HIRES_CHANNELS = 128
_GROUPS = ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 256, 1))
"""(channels in, channels out, stride) of each group of blocks."""
_HIRES_GROUP = 1


class ResNet(nn.Module):
    """Pre-activation residual network with instance normalisation (He et al., ECCV 2016)."""

    def __init__(self) -> None:
        super().__init__()
        self.initial_conv = nn.Conv2d(3, 64, 7, stride=2, bias=False)
        self.block_groups = nn.ModuleList(BlockGroup(*group) for group in _GROUPS)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the raw features of frames [n, 3, h, w] in [-1, 1].

        Returns:
            hires [n, 128, h/4, w/4] and lowres [n, 256, h/8, w/8].
        """
        x = self.initial_conv(F.pad(frames, (2, 3, 2, 3)))
        outputs = []
        for group in self.block_groups:
            x = group(x)
            outputs.append(x)
        return outputs[_HIRES_GROUP], x


class BlockGroup(nn.Module):
    """Two residual blocks; the first changes size and channels."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            Block(channels_in, channels_out, stride, project=True),
            Block(channels_out, channels_out, 1, project=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply both blocks."""
        output: Tensor = self.blocks(x)
        return output


class Block(nn.Module):
    """Normalise, activate, convolve, twice, beside a shortcut.

    A projected shortcut starts from the activated input, a plain one from the input itself.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, project: bool) -> None:
        super().__init__()
        self.proj_conv = (
            nn.Conv2d(channels_in, channels_out, 1, stride, bias=False) if project else None
        )
        self.bn_0 = _instance_norm(channels_in)
        self.conv_0 = nn.Conv2d(channels_in, channels_out, 3, stride, bias=False)
        self.conv_1 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn_1 = _instance_norm(channels_out)
        # Strided windows start at the first pixel, so only the far sides need padding.
        self.padding = (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        activated = F.relu_(self.bn_0(x))
        shortcut = x if self.proj_conv is None else self.proj_conv(activated)
        y = self.conv_0(F.pad(activated, self.padding))
        output: Tensor = self.conv_1(F.relu_(self.bn_1(y)))
        return output.add_(shortcut)


def _instance_norm(channels: int) -> nn.GroupNorm:
    # The same numbers as InstanceNorm2d, which is ten times slower on channels-last memory.
    return nn.GroupNorm(channels, channels, eps=1e-5)


class ExtraConvs(nn.Module):
    """The convolutions on the lowres grid that BootsTAPIR adds."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(ExtraBlock(LOWRES_CHANNELS) for _ in range(5)))

    def forward(self, x: Tensor) -> Tensor:
        """Refine lowres features [n, 256, h, w]."""
        output: Tensor = self.blocks(x)
        return output


class ExtraBlock(nn.Module):
    """Two convolutions beside a shortcut that starts from the *normalised* input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(channels, eps=1e-5)
        self.conv = nn.Conv2d(channels, 4 * channels, 3, padding=1)
        self.conv_1 = nn.Conv2d(4 * channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        normal = self.layer_norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        output: Tensor = self.conv_1(F.gelu(self.conv(normal), approximate="tanh"))
        return output.add_(normal)


def unit_length(features: Tensor) -> Tensor:
    """Return features [n, c, h, w] as [n, h, w, c] of length one at each position."""
    values = features.permute(0, 2, 3, 1).contiguous()
    squares = torch.linalg.vecdot(values, values).unsqueeze(-1)
    return values.mul_(squares.clamp_(min=1e-12).rsqrt_())
