"""The reference outputs of TAPIR, and our network as each of them wants it.

A file without frames of its own has those of the file of the same clip: `boots_<clip>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from moseg.models.tapir.grids import VideoFeatures
from moseg.models.tapir.model import PointTracks, Tapir
from moseg.models.tapir.queries import QueryFeatures
from moseg.models.tapir.variant import load_tapir
from tests import parity

KIND = "tapir"
_COOLER = "_temp10"


@dataclass(frozen=True)
class Case:
    """One file of reference outputs."""

    path: Path

    @property
    def outputs(self) -> dict[str, NDArray[Any]]:
        return arrays(self.path)

    @property
    def inputs(self) -> dict[str, NDArray[Any]]:
        if "in_frames_u8" in self.outputs:
            return self.outputs
        clip = self.path.stem.removesuffix(_COOLER).partition("_")[2]
        return arrays(self.path.with_name(f"boots_{clip}.npz"))

    @property
    def frames(self) -> Tensor:
        return torch.from_numpy(self.inputs["in_frames_u8"])

    @property
    def points(self) -> Tensor:
        return torch.from_numpy(self.inputs["in_query_points"])

    @property
    def initial(self) -> tuple[int, int]:
        told = self.outputs if "out_resolutions" in self.outputs else self.inputs
        height, width = told["out_resolutions"][0]
        return int(height), int(width)

    @property
    def keys(self) -> str:
        return "keys_panning.json" if self.path.stem.startswith("panning") else "keys.json"

    @property
    def network(self) -> Tapir:
        causal = self.path.stem.startswith("causal")
        temperature = 10.0 if self.path.stem.endswith(_COOLER) else 20.0
        return load_tapir(weights(self.keys), KIND, causal, temperature, self.initial)

    @property
    def features(self) -> VideoFeatures:
        return encoded(self.keys, self.initial, self.frames_path)

    @property
    def frames_path(self) -> Path:
        return next(p for p in (self.path, *self.path.parent.glob("*.npz")) if self._has_frames(p))

    def _has_frames(self, path: Path) -> bool:
        return arrays(path) is self.inputs

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
    if found:
        return found
    reason = f"no file with {', '.join(names)}"
    return [pytest.param(None, id="none", marks=pytest.mark.skip(reason=reason))]


@lru_cache
def arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path) as stored:
        return dict(stored)


@lru_cache
def weights(keys: str) -> dict[str, Tensor]:
    return parity.filled(KIND, parity.key_list(KIND, keys))


@lru_cache(maxsize=4)
def encoded(keys: str, initial: tuple[int, int], path: Path) -> VideoFeatures:
    """Return the features of a clip; neither temperature nor causality changes them."""
    with torch.inference_mode():
        network = load_tapir(weights(keys), KIND, initial_resolution=initial)
        return network.encode(torch.from_numpy(arrays(path)["in_frames_u8"]))
