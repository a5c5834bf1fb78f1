"""Features from files that another program made: `dinos/<scene>/<query frame>.npy` or `.h5`."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import BackendError, InputError
from moseg.core.foreign_files import content_digest, read_numbers
from moseg.core.frame_record import FrameRecord
from moseg.core.query_points import QueryPoints
from moseg.core.scene import Scene
from moseg.core.stage import Backend, NoParams, Report, Task
from moseg.core.types import FeatureMap


class ReferenceFeatures(Backend[NoParams]):
    """Reads float16 [h, w, C] maps of the query frames, by name."""

    stage = "dinos"
    name = "reference_files"
    version = 1
    needs = ("frames", "queries")

    def __init__(self, folder: Path) -> None:
        super().__init__(NoParams())
        self.folder = folder

    def identity(self, scene: Scene) -> dict[str, str]:
        """The content of the files."""
        folder = self.folder / scene.name
        return {"files": content_digest(sorted([*folder.glob("*.npy"), *folder.glob("*.h5")]))}

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        queries = QueryPoints.load(task.inputs["queries"]).query_frames
        channels = None
        for done, query in enumerate(queries, start=1):
            values = read_map(self.folder / task.scene.name, frames.names[query], channels)
            channels = values.shape[2]
            rows, columns = values.shape[:2]
            if abs(rows * frames.width - columns * frames.height) > 2 * max(
                frames.width, frames.height
            ):
                raise InputError(
                    f"features of {frames.names[query]} have {columns}x{rows} cells, which are not "
                    f"of frames of {frames.width}x{frames.height} pixels; make them again"
                )
            cell = frames.width / values.shape[1]
            FeatureMap(query, values, cell).save(task.out / f"{query:05d}.npz")
            task.progress(done, len(queries))
        return Report({"feature_maps": len(queries)})


def read_map(folder: Path, name: str, channels: int | None) -> NDArray[np.float16]:
    """Return the features of one frame; `.npy` is preferred to `.h5`.

    Raises:
        InputError: missing, damaged, or with another number of channels.
        BackendError: an `.h5` file, and h5py is not installed.
    """
    array = folder / f"{name}.npy"
    packed = folder / f"{name}.h5"
    if array.is_file() or not packed.is_file():
        return read_numbers(array, (None, None, channels)).astype(np.float16)
    values = _read_packed(packed)
    if values.ndim != 3 or values.dtype.kind != "f" or channels not in (None, values.shape[2]):
        raise InputError(f"{packed} does not hold features like the other files; make it again")
    if not np.isfinite(values).all():
        raise InputError(f"{packed} holds values that are not numbers; make it again")
    return values.astype(np.float16)


def _read_packed(path: Path) -> NDArray[np.floating]:
    if importlib.util.find_spec("h5py") is None:
        raise BackendError(f"{path} needs the package h5py: pip install h5py, then run again")
    h5py = importlib.import_module("h5py")
    try:
        with h5py.File(path, "r") as file:
            return np.asarray(file["dinos"])
    except (OSError, KeyError) as error:
        raise InputError(f"{path} is damaged or holds no features; make it again") from error
