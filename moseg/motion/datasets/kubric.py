"""Kubric MOVi-F: `<root>/<split>/<kind>/<scene>/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.motion.datasets.scenes import Dataset, SceneFolders, first_there


class Kubric(Dataset):
    """All frames; query frames 0, 8, 16, ...; tracks in `bootstapir_dense` or `bootstapir`."""

    name = "kubric"
    splits = ("train", "validation")
    counts = (512, 1024, 2048, 3000, 4096, 5000)

    @property
    def home(self) -> Path:
        """See `Dataset.home`."""
        return self.base / "images"

    def folders(self, scene: str) -> SceneFolders:
        """See `Dataset.folders`."""
        return SceneFolders(
            images=self.home / scene,
            masks=self.base / "masks" / scene,
            depth=self.base / "depth_anything_v2" / scene,
            tracks=first_there(
                self.base / "bootstapir_dense" / scene, self.base / "bootstapir" / scene
            ),
            features=self.base / "dinos" / scene,
        )

    def queries(self, length: int) -> Sequence[int]:
        """See `Dataset.queries`."""
        return range(0, length, 8)
