"""Losses that several networks share."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def balanced_cross_entropy(logits: Tensor, truth: Tensor, judged: Tensor) -> Tensor:
    """Return the mean cross-entropy, a scalar, where positives weigh as much as negatives.

    Each positive has the weight negatives / positives, each negative 1 (Huang et al., SegAnyMo,
    CVPR 2025). Without positives it is the plain mean; where nothing is judged, 0.

    Args:
        logits: [N], any float format; the loss is computed in float32.
        truth: bool [N].
        judged: bool [N], False for entries that have no truth and do not count.
    """
    values = logits.float()
    weight = judged.float()
    count = weight.sum()
    positive = (truth & judged).float()
    positives = positive.sum()
    weight = weight + positive * ((count - positives) / (positives + 1e-6) - 1)
    losses = F.binary_cross_entropy_with_logits(values, truth.float(), weight, reduction="sum")
    return losses / count.clamp(min=1)
