"""Official files of the smallest network of each family."""

from __future__ import annotations

from pathlib import Path

import torch

from moseg.models.tapir.model import Tapir
from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import Options
from tests.filled import shapes_of
from tests.models.foundation.official import Shapes, depth_anything_shapes, dinov2_shapes


def tensors(family: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return official tensors with chance values.

    Those of a TAPIR, which is large, differ between tensors alone, so that its file is small.
    """
    generator = torch.Generator().manual_seed(seed)
    return {
        key: torch.rand(1 if family == "tapir" else shape, generator=generator).expand(shape)
        for key, shape in _shapes(family).items()
    }


def official_file(path: Path, family: str, seed: int = 0) -> Path:
    """Write an official file as its authors do."""
    state = tensors(family, seed)
    wrapped = {"epoch": 3, "model_state_dict": state} if family == "track_classifier" else state
    torch.save(wrapped, path)
    return path


def _shapes(family: str) -> Shapes:
    if family == "dinov2":
        return dinov2_shapes("s")
    if family == "depth_anything":
        return depth_anything_shapes("s")
    with torch.device("meta"):
        if family == "tapir":
            return shapes_of(Tapir(pyramid_levels=0, extra_convs=False))
        return shapes_of(TrackClassifier(Options()))
