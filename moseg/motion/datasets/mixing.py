"""Several data sets as one: each sample comes from one of them, by chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from moseg.core.errors import ConfigError
from moseg.motion.datasets.dynamic_replica import DynamicReplica
from moseg.motion.datasets.hoi4d import Hoi4d
from moseg.motion.datasets.kubric import Kubric
from moseg.motion.datasets.sample import TrackSample
from moseg.motion.datasets.scenes import Dataset, Reading
from moseg.motion.datasets.waymo import Waymo

DatasetName = Literal["kubric", "dynamic-replica", "hoi4d", "waymo"]

DATASETS: Mapping[str, type[Dataset]] = {
    kind.name: kind for kind in (Kubric, DynamicReplica, Hoi4d, Waymo)
}
"""Name -> data set."""


class Share(BaseModel):
    """One data set of a mixture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: DatasetName = Field(description="Which data set; its layout follows from it.")
    root: Path = Field(description="Its folder.")
    split: str | None = Field(None, description="Its part, where it has several.")
    weight: float = Field(1.0, ge=0, description="How often it is drawn, against the others.")


class Mixture:
    """Draws samples from data sets, each as often as its weight says.

    Args:
        datasets: at least one.
        weights: one each, above 0; they need not sum to 1.
    """

    def __init__(self, datasets: Sequence[Dataset], weights: Sequence[float]) -> None:
        self.datasets = tuple(datasets)
        self._limits = np.cumsum(weights) / math.fsum(weights)

    def __len__(self) -> int:
        """Scenes of the largest data set: so many samples are called an epoch."""
        return max(len(dataset) for dataset in self.datasets)

    def sample(self, seed: int, step: int, place: int = 0) -> TrackSample:
        """Return the sample of one step; the same arguments give the same sample.

        Args:
            seed: of the run.
            step: of training, 0 the first.
            place: tells samples of one step apart: rank times samples a rank, plus the number.

        Raises:
            InputError, BackendError: as `Dataset.sample`.
        """
        rng = np.random.default_rng([seed, step, place])
        drawn = int(np.searchsorted(self._limits, rng.random(), side="right"))
        dataset = self.datasets[min(drawn, len(self.datasets) - 1)]
        return dataset.sample(int(rng.integers(len(dataset))), rng)


def open_dataset(share: Share, reading: Reading) -> Dataset:
    """Open one data set.

    Raises:
        ConfigError: no such split.
        InputError: the folder cannot be listed or holds no scene.
    """
    return DATASETS[share.name](share.root, share.split, reading)


def open_mixture(shares: Sequence[Share], reading: Reading) -> Mixture:
    """Open the data sets that are drawn; those of weight 0 need not exist.

    Raises:
        ConfigError: none is drawn, or no such split.
        InputError: a folder cannot be listed or holds no scene.
    """
    drawn = [share for share in shares if share.weight > 0]
    if not drawn:
        raise ConfigError("no data set has a weight above 0; give at least one")
    opened = [open_dataset(share, reading) for share in drawn]
    return Mixture(opened, [share.weight for share in drawn])
