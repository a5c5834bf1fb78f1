"""The order-aware decoder (OANet, Zhang et al., ICCV 2019).

Points are pooled to 100 learned clusters, filtered there, and spread back. The cost is linear in
the number of points. Tensors are [1, C, N, 1]. Dividing by deviations over the points magnifies
rounding: logits are good to about 1e-4, ten times less than those of the transformer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from moseg.models.track_classifier.options import WIDTH
from moseg.models.track_classifier.slices import one_thread

CLUSTERS = 100
HALF = 4
"""Layers on points before the clusters, on clusters, and on points after them."""


class ContextNorm(nn.Module):
    """Subtracts each channel's mean over the points and divides by the deviation."""

    def forward(self, x: Tensor) -> Tensor:
        """Return [1, C, N, 1]."""
        variance, mean = torch.var_mean(x, dim=(2, 3), correction=0, keepdim=True)
        return (x - mean) * torch.rsqrt(variance + 1e-3)


class Swap(nn.Module):
    """Exchanges channels and points."""

    def forward(self, x: Tensor) -> Tensor:
        """Return [1, N, C, 1]."""
        return x.transpose(1, 2)


def _step(channels: int, to: int) -> list[nn.Module]:
    """Normalise over the points, then over what was seen in training, and mix channels."""
    return [ContextNorm(), *_mix(channels, to)]


def _mix(channels: int, to: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, to, 1)]


class PointLayer(nn.Module):
    """A residual layer on points."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shot_cut = nn.Conv2d(channels, WIDTH, 1) if channels != WIDTH else None
        self.conv = nn.Sequential(*_step(channels, WIDTH), *_step(WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """Return [1, 128, N, 1]."""
        shortcut = x if self.shot_cut is None else self.shot_cut(x)
        result: Tensor = self.conv(x) + shortcut
        return result


class ClusterLayer(nn.Module):
    """A residual layer on clusters that also mixes them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*_step(WIDTH, WIDTH), Swap())
        self.conv2 = nn.Sequential(*_mix(CLUSTERS, CLUSTERS))
        self.conv3 = nn.Sequential(Swap(), *_step(WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """Return [1, 128, 100, 1]."""
        mixed = self.conv1(x)
        result: Tensor = x + self.conv3(mixed + self.conv2(mixed))
        return result


class Assignment(nn.Module):
    """Scores of points for clusters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(*_step(WIDTH, CLUSTERS))

    def forward(self, x: Tensor) -> Tensor:
        """Return [1, 100, N]."""
        scores: Tensor = self.conv(x)
        return scores.squeeze(3)


class OrderAwareDecoder(nn.Module):
    """Logits from what is known of each track, [N, channels]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, WIDTH, 1)
        self.l1_1 = nn.Sequential(*(PointLayer(WIDTH) for _ in range(HALF)))
        self.down1 = Assignment()
        self.l2 = nn.Sequential(*(ClusterLayer() for _ in range(HALF)))
        self.up1 = Assignment()
        after = [PointLayer(2 * WIDTH), *(PointLayer(WIDTH) for _ in range(HALF - 1))]
        self.l1_2 = nn.Sequential(*after)
        self.output = nn.Conv2d(WIDTH, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits [N]."""
        with one_thread():
            return self._logits(x)

    def _logits(self, x: Tensor) -> Tensor:
        points = self.l1_1(self.conv1(x.T[None, :, :, None]))
        into = self.down1(points).softmax(dim=2)
        clusters = self.l2((points.squeeze(3) @ into.mT).unsqueeze(3))
        back = self.up1(points).softmax(dim=1)
        spread = (clusters.squeeze(3) @ back).unsqueeze(3)
        logits: Tensor = self.output(self.l1_2(torch.cat([points, spread], dim=1)))
        return logits.flatten()
