"""The track classifier alone."""

from __future__ import annotations

import torch
from torch import Tensor

from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import Options
from stage_cases.common import Clock, Measured, Setting


def labels_ours(setting: Setting) -> Measured:
    """The track classifier on made-up tracks, about 30 % of them hidden."""
    torch.manual_seed(0)
    network = TrackClassifier(Options()).eval().requires_grad_(False).to(setting.device)
    n, length = setting.tracks, setting.window
    made = torch.Generator().manual_seed(0)
    steps = torch.randn(2, n, length, generator=made).cumsum(2) * 0.01
    traj = (torch.rand(2, n, 1, generator=made) * 2 - 1 + steps).clamp(-1, 1)
    mask = (torch.rand(n, length, generator=made) < 0.3).float()
    values = torch.rand(3, n, length, generator=made)
    dino = torch.randn(n, 768, generator=made)
    inputs = [x.to(setting.device) for x in (traj, mask, *values, dino)]
    kept: list[Tensor] = []
    clock, found = Clock(setting.device), Measured()
    found.seconds["classify"] = clock.time(lambda: kept.append(network(*inputs)))
    found.output = kept[0].cpu().numpy()
    return found
