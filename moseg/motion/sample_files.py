"""Training samples of the track classifier that lie ready as files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from moseg.core.errors import InputError
from moseg.core.seeds import derive_seed
from moseg.motion.datasets.sample import TrackSample

_KINDS = {
    "xy": np.float32,
    "visible": np.bool_,
    "visibility": np.float32,
    "confidence": np.float32,
    "label": np.bool_,
    "judged": np.bool_,
}


class SampleFiles:
    """The samples in `*.npz` of a folder, by name.

    Each file holds the arrays of a `TrackSample`; `depth` and `features` may be missing.

    Raises:
        InputError: there is no file, or, when it is read, one is no sample.
    """

    def __init__(self, folder: Path) -> None:
        self._files = sorted(folder.glob("*.npz"))
        if not self._files:
            raise InputError(f"{folder} holds no samples (*.npz); put some there")

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> TrackSample:
        return read_sample(self._files[number])

    def sample(self, seed: int, step: int, place: int) -> TrackSample:
        """Return the sample of one step and place, drawn by chance."""
        rng = np.random.default_rng(derive_seed(seed, "file", str(step), str(place)))
        return self[int(rng.integers(len(self)))]


def read_sample(path: Path) -> TrackSample:
    """Return the sample in a file.

    Raises:
        InputError: the file is damaged, or lacks arrays, or they do not fit each other.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
        known = {name: arrays[name].astype(kind) for name, kind in _KINDS.items()}
        extra: dict[str, Any] = {name: arrays.get(name) for name in ("depth", "features")}
        height, width = arrays["size"].tolist()
        result = TrackSample(
            **known, **extra, query_frame=int(arrays["query_frame"]), size=(height, width)
        )
    except KeyError as error:
        raise InputError(f"{path} lacks {error}; make it again") from error
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no sample of tracks ({error}); make it again") from error
    if problem := _problem(result):
        raise InputError(f"{path}: {problem}; make it again")
    return result


def _problem(sample: TrackSample) -> str:
    """Return what does not fit, or nothing."""
    if sample.visible.ndim != 2:
        return f"visible has the shape {sample.visible.shape}, not [N, T]"
    tracks, frames = sample.visible.shape
    shapes = {
        "xy": (tracks, frames, 2),
        "visibility": (tracks, frames),
        "confidence": (tracks, frames),
        "depth": (tracks, frames),
        "label": (tracks,),
        "judged": (tracks,),
    }
    for name, shape in shapes.items():
        values = getattr(sample, name)
        if values is not None and values.shape != shape:
            return f"{name} has the shape {values.shape}, not {shape}"
    if sample.features is not None and sample.features.shape[:1] != (tracks,):
        return f"features are of {len(sample.features)} tracks, not {tracks}"
    empty = np.flatnonzero(~sample.visible.any(axis=0))
    return f"no track is visible in frame {empty[0]}" if len(empty) else ""
