"""Official files of the smallest network of each family."""

from __future__ import annotations

from pathlib import Path

import torch

from moseg.models.tapir.model import Tapir
from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import Options
from tests.filled import shapes_of
from tests.models.foundation.official import (
    Shapes,
    depth_anything_shapes,
    dinov2_shapes,
    sam2_shapes,
)

LARGE = ("tapir", "sam2")
WRAPPED = {"track_classifier": "model_state_dict", "sam2": "model"}
"""Family -> the key that its authors put the tensors under; at the top for the others."""


def tensors(family: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return official tensors with chance values.

    Those of large networks differ between tensors alone, so that their files are small.
    """
    generator = torch.Generator().manual_seed(seed)
    return {
        key: torch.rand(1 if family in LARGE else shape, generator=generator).expand(shape)
        for key, shape in _shapes(family).items()
    }


def official_file(path: Path, family: str, seed: int = 0) -> Path:
    """Write an official file as its authors do."""
    state = tensors(family, seed)
    torch.save({"epoch": 3, WRAPPED[family]: state} if family in WRAPPED else state, path)
    return path


def _shapes(family: str) -> Shapes:
    if family == "dinov2":
        return dinov2_shapes("s")
    if family == "depth_anything":
        return depth_anything_shapes("s")
    if family == "sam2":
        return sam2_shapes("tiny")
    with torch.device("meta"):
        if family == "tapir":
            return shapes_of(Tapir(pyramid_levels=0, extra_convs=False))
        return shapes_of(TrackClassifier(Options()))
