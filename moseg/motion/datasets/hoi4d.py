"""HOI4D, as `moseg data hoi4d` prepares it: `<root>/<kind>/<scene>/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.motion.datasets.scenes import Dataset, SceneFolders, first_there


class Hoi4d(Dataset):
    """All frames; query frames 0, 15, 30, ...; features in `dinos2` or `dinos`.

    Masks lie in `dynamic_masks` and may be coloured.
    """

    name = "hoi4d"
    counts = (1024, 1536, 2048, 4096, 5000, 6000)

    @property
    def home(self) -> Path:
        """See `Dataset.home`."""
        return self.base / "images"

    def folders(self, scene: str) -> SceneFolders:
        """See `Dataset.folders`."""
        return SceneFolders(
            images=self.home / scene,
            masks=self.base / "dynamic_masks" / scene,
            depth=self.base / "depth_anything_v2" / scene,
            tracks=self.base / "bootstapir" / scene,
            features=first_there(self.base / "dinos2" / scene, self.base / "dinos" / scene),
        )

    def queries(self, length: int) -> Sequence[int]:
        """See `Dataset.queries`."""
        return range(0, length, 15)
