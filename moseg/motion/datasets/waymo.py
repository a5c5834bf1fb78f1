"""Waymo, as drivestudio lays it out: `<root>/<id>_<camera>/<kind>/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.motion.datasets.scenes import Dataset, SceneFolders

CAMERAS = ("0", "1", "2")
"""The three that look ahead; others are left out."""


class Waymo(Dataset):
    """All frames; query frames 8, 12 and 16; masks in `dynamic_masks`."""

    name = "waymo"
    counts = (2048, 4096, 5000, 6000)

    @property
    def home(self) -> Path:
        """See `Dataset.home`."""
        return self.base

    def takes(self, scene: str) -> bool:
        """See `Dataset.takes`."""
        return scene.rpartition("_")[2] in CAMERAS

    def folders(self, scene: str) -> SceneFolders:
        """See `Dataset.folders`."""
        here = self.base / scene
        return SceneFolders(
            images=here / "images",
            masks=here / "dynamic_masks",
            depth=here / "depth_anything_v2",
            tracks=here / "bootstapir",
            features=here / "dinos",
        )

    def queries(self, length: int) -> Sequence[int]:
        """See `Dataset.queries`."""
        return [frame for frame in (8, 12, 16) if frame < length]
