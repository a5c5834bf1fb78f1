"""Dynamic Replica: `<root>/<split>/<scene>/<kind>/`, left and right cameras as scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.motion.datasets.scenes import Dataset, SceneFolders, first_there

STRIDE = 4
"""Every so many frames one is taken, from a random one of the first."""


class DynamicReplica(Dataset):
    """Every 4th frame; query frames 0, 8, ... of these; all tracks.

    Tracks lie in `bootstapir_random` or `bootstapir`, masks in `dynamic_masks`.
    """

    name = "dynamic-replica"
    splits = ("train", "valid")

    @property
    def home(self) -> Path:
        """See `Dataset.home`."""
        return self.base

    def folders(self, scene: str) -> SceneFolders:
        """See `Dataset.folders`."""
        here = self.base / scene
        return SceneFolders(
            images=here / "images",
            masks=here / "dynamic_masks",
            depth=here / "depth_anything_v2",
            tracks=first_there(here / "bootstapir_random", here / "bootstapir"),
            features=here / "dinos",
        )

    def clips(self, count: int) -> list[range]:
        """See `Dataset.clips`."""
        return [range(first, count, STRIDE) for first in range(min(STRIDE, count))]

    def queries(self, length: int) -> Sequence[int]:
        """See `Dataset.queries`."""
        return range(0, length, 8)
