"""Small data sets on disk: folders of masks, one PNG a frame."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from moseg.core.palette import davis_palette

Frame = TypeVar("Frame")


def numbered(frames: Iterable[Frame]) -> dict[str, Frame]:
    """Frames by the stems of DAVIS: 00000, 00001 and so on."""
    return {f"{index:05d}": frame for index, frame in enumerate(frames)}


def write_labels(
    folder: Path, labels: Mapping[str, NDArray[np.uint8]], suffix: str = ".png"
) -> None:
    """Write uint8 [H, W] of each stem as a palette image in the colours of DAVIS."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, frame in labels.items():
        image = Image.fromarray(np.asarray(frame, np.uint8))
        image.putpalette(davis_palette().tobytes())
        image.save(folder / f"{stem}{suffix}")


def close_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a folder be without permissions, also for root: no list of it, no look into it."""

    def guard(name: str, shut: Callable[[Path], bool]) -> None:
        call = getattr(os, name)

        def guarded(path: Any = ".", *rest: Any, **named: Any) -> Any:
            if not isinstance(path, int) and shut(Path(path)):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return call(path, *rest, **named)

        monkeypatch.setattr(os, name, guarded)

    guard("listdir", lambda path: path == folder)
    guard("scandir", lambda path: path == folder)
    guard("stat", lambda path: folder in path.parents)
