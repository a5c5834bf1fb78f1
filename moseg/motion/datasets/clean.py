"""Make a data set smaller: pack features, delete what training does not read."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from moseg.core.errors import OutputError, writing_to
from moseg.core.files import published
from moseg.core.foreign_files import read_numbers
from moseg.core.foreign_maps import FEATURES, read_packed_features, require_h5py
from moseg.motion.datasets.dynamic_replica import DynamicReplica
from moseg.motion.datasets.scenes import Dataset
from moseg.motion.datasets.waymo import Waymo

UNREAD = ("flow_forward", "flow_backward", "flow_*_mask", "cotracker")
"""Folders of a Dynamic Replica sequence that training does not read."""


@dataclass(frozen=True)
class Cleaning:
    """One thing that can be made smaller.

    Attributes:
        kind: `pack` turns features `.npy` into `.h5`, `delete` removes a folder for good.
        path: the file or folder.
        size: bytes it takes now.
    """

    kind: Literal["pack", "delete"]
    path: Path
    size: int

    @property
    def line(self) -> str:
        """What will be done."""
        return f"{self.kind} {self.path} ({self.size / 1e6:.1f} MB)"

    def run(self) -> str:
        """Do it and return what was done. A packed file is read back before the original goes.

        Raises:
            InputError: the features are damaged; they stay.
            OutputError: the place cannot be written.
            BackendError: h5py is not installed.
        """
        if self.kind == "pack":
            packed = _pack(self.path)
            return f"packed, {self.size / 1e6:.1f} MB are {packed.stat().st_size / 1e6:.1f} MB now"
        with writing_to(self.path):
            shutil.rmtree(self.path)
        return f"deleted, {self.size / 1e6:.1f} MB"


def find_cleanings(dataset: Dataset) -> Iterator[Cleaning]:
    """Yield what can be made smaller in every scene; changes nothing.

    Features are packed; those of Waymo are deleted, with their whole folder. Of Dynamic Replica
    flow and the tracks of another tracker are deleted. Links are left alone.
    """
    for scene in dataset.scenes:
        folders = dataset.folders(scene)
        if isinstance(dataset, DynamicReplica):
            home = folders.images.parent
            for pattern in UNREAD:
                yield from _deletions(sorted(home.glob(pattern)))
        if isinstance(dataset, Waymo):
            yield from _deletions([folders.features])
        else:
            for path in sorted(folders.features.glob("*.npy")):
                yield Cleaning("pack", path, path.stat().st_size)


def _deletions(paths: list[Path]) -> Iterator[Cleaning]:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            yield Cleaning("delete", path, size)


def _pack(path: Path) -> Path:
    """Return the file that holds the features now."""
    values = read_numbers(path, (None, None, None)).astype(np.float16)
    target = path.with_suffix(".h5")
    require_h5py(target)
    h5py = importlib.import_module("h5py")
    with published(target) as partial, h5py.File(partial, "w") as file:
        file.create_dataset(FEATURES, data=values, compression="gzip")
    if not np.array_equal(read_packed_features(target), values):
        raise OutputError(f"{target} does not hold what was written; the disk may be failing")
    with writing_to(path):
        path.unlink()
    return target
