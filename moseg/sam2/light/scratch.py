"""What the densifier keeps between its passes: arrays in files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moseg.core.arrays import save_array


class FolderScratch(MutableMapping[tuple[str, int], NDArray[Any]]):
    """Arrays by (name, frame) as files in a folder that is made now and removed at the end."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        self._keys: set[tuple[str, int]] = set()

    def __setitem__(self, key: tuple[str, int], value: NDArray[Any]) -> None:
        save_array(self._path(key), value)
        self._keys.add(key)

    def __getitem__(self, key: tuple[str, int]) -> NDArray[Any]:
        if key not in self._keys:
            raise KeyError(key)
        return np.asarray(np.load(self._path(key)))

    def __delitem__(self, key: tuple[str, int]) -> None:
        self._keys.remove(key)
        self._path(key).unlink()

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key: tuple[str, int]) -> Path:
        return self.folder / f"{key[0]}-{key[1]}.npy"
