"""The reference outputs of TAPIR, and our network as each of them wants it.

A file without frames of its own has those of the file of the same clip: `boots_<clip>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from moseg.models.tapir.grids import VideoFeatures
from moseg.models.tapir.model import Tapir
from moseg.models.tapir.queries import QueryFeatures
from moseg.models.tapir.variant import load_tapir
from tests import parity

KIND = "tapir"
_COOLER = "_temp10"


class Case:
    """One file of reference outputs.

    Attributes:
        outputs, inputs: arrays by name.
        frames: uint8 [T, H, W, 3].
        points: float32 [N, 3].
        features: of the frames, shared by the files of a clip.
    """

    def __init__(self, path: Path) -> None:
        model, _, clip = path.stem.removesuffix(_COOLER).partition("_")
        self.outputs = arrays(path)
        source = path if "in_frames_u8" in self.outputs else path.with_name(f"boots_{clip}.npz")
        self.inputs = arrays(source)
        self.frames = torch.from_numpy(self.inputs["in_frames_u8"])
        self.points = torch.from_numpy(self.inputs["in_query_points"])
        keys = "keys_panning.json" if model == "panning" else "keys.json"
        self.features = encoded(keys, source)
        self.network = network(
            keys, source, model == "causal", 10.0 if path.stem.endswith(_COOLER) else 20.0
        )

    @property
    def queries(self) -> QueryFeatures:
        return self.network.query(self.features, self.points)


def cases_with(*names: str) -> Sequence[Any]:
    """Return the files that hold all of these arrays, as test parameters."""
    found = [
        parameter
        for parameter in parity.cases(KIND)
        if parameter.values[0] is None or set(names) <= set(arrays(parameter.values[0]))
    ]
    reason = f"no reference outputs with {', '.join(names)}"
    return found or [pytest.param(None, id="none", marks=pytest.mark.skip(reason=reason))]


@lru_cache
def arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path) as stored:
        return dict(stored)


@lru_cache
def weights(keys: str) -> dict[str, Tensor]:
    return parity.filled(KIND, parity.key_list(KIND, keys))


def network(keys: str, source: Path, causal: bool, temperature: float) -> Tapir:
    """Return the network that searches a clip at the resolution of its first grid."""
    height, width = arrays(source)["out_resolutions"][0]
    return load_tapir(weights(keys), KIND, causal, temperature, (int(height), int(width)))


@lru_cache
def encoded(keys: str, source: Path) -> VideoFeatures:
    """Return the features of a clip; neither temperature nor causality changes them."""
    frames = torch.from_numpy(arrays(source)["in_frames_u8"])
    return network(keys, source, causal=False, temperature=20.0).encode(frames)
