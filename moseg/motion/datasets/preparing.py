"""What all preparations of data sets share: jobs, and folders that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import OutputError, writing_to


@dataclass(frozen=True)
class Job:
    """Something that is yet to be done, and can be told without doing it.

    Attributes:
        scene: of the data set.
        plan: what will be done, a line.
        work: does it and returns a line that says what was done. Raises `MosegError` where it
            cannot be done; other jobs can be done all the same.
    """

    scene: str
    plan: str
    work: Callable[[], str]


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `target`, which becomes `target` at the end of the block.

    It is removed on any error. What a killed process left is removed first.

    Raises:
        OutputError: the place cannot be written, or `target` is there already.
    """
    partial = target.with_name(f".partial-{target.name}")
    with writing_to(target):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            if target.exists():
                raise OutputError(f"{target} is there already; nothing is replaced")
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an image [H, W] or [H, W, 3] (blue, green, red) as PNG.

    Raises:
        OSError: the place cannot be written.
    """
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(image))
    assert done
    path.write_bytes(encoded.tobytes())
