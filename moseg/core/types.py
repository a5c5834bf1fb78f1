"""The data types that pass between stages.

Coordinates are (x, y) pixels with pixel centres at integers. What a stage leaves on disk is
one of these, written and read by the methods here, so that any backend of a stage can be
followed by any backend of the next. T is the number of frames of the scene, N of tracks,
L of frames in a window of tracks.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import CacheError

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

Arrays = TypeVar("Arrays", bound="ArrayBundle")


class ArrayBundle:
    """Base of the data types: a dataclass of arrays that is one `.npz` file on disk."""

    def save(self, path: Path) -> None:
        """Write all fields, uncompressed; equal contents give equal bytes."""
        with path.open("wb") as file:
            np.savez(file, **{f.name: getattr(self, f.name) for f in fields(self)})  # type: ignore[arg-type]

    @classmethod
    def load(cls: type[Arrays], path: Path) -> Arrays:
        """Read what `save` wrote.

        Raises:
            CacheError: the file is damaged or holds something else.
        """
        try:
            with np.load(path) as stored:
                values: dict[str, Any] = {f.name: stored[f.name] for f in fields(cls)}  # type: ignore[arg-type]
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise CacheError(f"{path} is not a {cls.__name__} file or is damaged") from error
        return cls(**{k: v.item() if v.ndim == 0 else v for k, v in values.items()})


@dataclass(frozen=True)
class Tracks(ArrayBundle):
    """Point tracks of one query frame over the window `start .. start + L - 1`.

    Attributes:
        query_frame: frame in which the points were chosen.
        start: first frame of the window.
        xy: float32 [N, L, 2], pixels of the frames as selected for the scene.
        visible: bool [N, L].
        visibility: float32 [N, L], 0..1.
        confidence: float32 [N, L], 0..1, how far the position can be trusted.
    """

    query_frame: int
    start: int
    xy: Float32
    visible: Bool
    visibility: Float32
    confidence: Float32


@dataclass(frozen=True)
class TrackLabels(ArrayBundle):
    """What the classifier says of the tracks of one query frame.

    Attributes:
        query_frame, start: as in `Tracks`, whose order of tracks is kept.
        probability: float32 [N], that the track moves on its own at some time; NaN for tracks
            that were not judged (not in the sample, or never visible); readers leave them out.
        log_odds: float32 [N, L], the same for each frame of the window; about 3 is sure.
        dynamic: bool [N], the tracks chosen as moving.
        threshold: the probability above which tracks were chosen; 0 where too few exceeded any,
            and the most probable ones were taken.
    """

    query_frame: int
    start: int
    probability: Float32
    log_odds: Float32
    dynamic: Bool
    threshold: float


@dataclass(frozen=True)
class FeatureMap(ArrayBundle):
    """Appearance features of one query frame.

    Attributes:
        query_frame: the frame.
        values: float16 [h, w, C].
        cell: float, side of one cell in pixels of the frames as selected.
    """

    query_frame: int
    values: NDArray[np.float16]
    cell: float


@dataclass(frozen=True)
class ObjectMasks:
    """The answer: object ids for every frame of the source, at the source's size.

    Attributes:
        ids: uint8 [T, H, W], 0 background, then object ids that keep their meaning over time.
        names: T frame names, as the files of a run are called.
        times: T times in seconds from the first frame.
        notes: sentences a person should read, such as that nothing moves.
    """

    ids: UInt8
    names: tuple[str, ...]
    times: tuple[float, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def moving(self) -> Bool:
        """Bool [T, H, W]: True where any object is."""
        return self.ids > 0


def list_by_frame(folder: Path) -> list[Path]:
    """Return the `<frame number>.npz` files of an artefact in the order of their frames."""
    named = (path for path in folder.glob("*.npz") if path.stem.isdigit())
    return sorted(named, key=lambda path: int(path.stem))
