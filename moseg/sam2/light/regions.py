"""The built-in predictor: regions that keep their ids over time, behind `Predictor`.

What a click means was decided before it came: the regions of all frames, found from the votes
of all tracks and carried along the flow, are what can be clicked. An object is the regions
that its prompts touched, so tracks can join what the flow lost in between.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.light.nearest import nearest_label
from moseg.sam2.predictor import Prediction
from moseg.sam2.tracks import TrackSource, TrackWindow

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
Scratch = MutableMapping[tuple[str, int], NDArray[Any]]

REACH = 4.0
"""Working pixels; a click this near to a region is one on it."""
WITHIN = 0.5
"""Share of a region that a drawn mask covers to mean it."""


class Regions:
    """Ids and soft foreground of every frame; see `moseg.sam2.predictor.Predictor`."""

    def __init__(self, scratch: Scratch, table: UInt8, size: tuple[int, int]) -> None:
        """Take what the passes of the densifier left.

        Args:
            scratch: ("ids", t) uint16 [h, w] provisional ids; ("soft", t) float16 [h, w] -1..1.
            table: uint8 [n], id of a region per provisional id, 0 for none.
            size: h and w.
        """
        self._scratch = scratch
        self._table = table
        self._size = size

    @property
    def size(self) -> tuple[int, int]:
        """See `Predictor.size`."""
        return self._size

    def ids(self, frame: int) -> UInt8:
        """Region at each pixel, uint8 [h, w], 0 for none."""
        return self._table[self._scratch["ids", frame]]

    def soft(self, frame: int) -> Float32:
        """How sure the foreground is, float32 [h, w], -1..1."""
        return self._scratch["soft", frame].astype(np.float32)

    def open_window(self, frames: range) -> None:
        """See `Predictor.open_window`; all frames are ready."""

    def click(self, frame: int, points: Float32) -> Bool:
        """See `Predictor.click`."""
        ids = self.ids(frame)
        return np.isin(ids, list(_under(ids, points)))

    def new_object(self) -> RegionObject:
        """See `Predictor.new_object`."""
        return RegionObject(self)


class RegionObject:
    """The regions of one object; see `moseg.sam2.predictor.ObjectPredictor`."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._prompted: dict[int, set[int]] = {}
        self._carried: set[int] = set()

    def click(self, frame: int, points: Float32) -> Bool:
        """See `ObjectPredictor.click`."""
        ids = self._regions.ids(frame)
        self._prompted[frame] = _under(ids, points)
        return np.isin(ids, list(self._prompted[frame]))

    def draw(self, frame: int, mask: Bool) -> Bool:
        """See `ObjectPredictor.draw`."""
        ids = self._regions.ids(frame)
        whole = np.bincount(ids.reshape(-1), minlength=256)
        covered = np.bincount(ids[mask], minlength=256)
        meant = (covered > 0) & (covered >= WITHIN * whole)
        self._prompted[frame] = {int(name) for name in np.flatnonzero(meant) if name}
        return np.isin(ids, list(self._prompted[frame]))

    def propagate(self, frames: Sequence[int]) -> Iterator[Prediction]:
        """See `ObjectPredictor.propagate`."""
        names = sorted(self._carried.union(*self._prompted.values()))
        for frame in frames:
            mask = np.isin(self._regions.ids(frame), names)
            sure = self._regions.soft(frame)[mask]
            score = float(np.clip(sure, 0, 1).mean(dtype=np.float64)) if sure.size else 0.0
            yield Prediction(frame, mask, score)

    def carry(self, frame: int) -> None:  # noqa: ARG002
        """See `ObjectPredictor.carry`; regions keep their ids through the whole scene."""
        self._carried.update(*self._prompted.values())
        self._prompted.clear()


class TracksOnRegions:
    """Moving tracks where they are on some region: what can be clicked.

    The votes found the others alone or wrong; between two regions they would be clicked first.
    """

    def __init__(self, tracks: TrackSource, regions: Regions) -> None:
        self._tracks = tracks
        self._regions = regions

    @property
    def total(self) -> int:
        """See `TrackSource.total`."""
        return self._tracks.total

    def window(self, frames: range) -> TrackWindow:
        """See `TrackSource.window`."""
        given = self._tracks.window(frames)
        visible = given.visible.copy()
        for at, frame in enumerate(frames):
            rows = np.flatnonzero(visible[:, at])
            visible[rows, at] = _names_under(self._regions.ids(frame), given.xy[rows, at]) > 0
        return TrackWindow(given.start, given.xy, visible)


def _under(ids: UInt8, points: Float32) -> set[int]:
    """Regions at points (x, y) [n, 2], or next to them."""
    return {int(name) for name in _names_under(ids, points) if name}


def _names_under(ids: UInt8, points: Float32) -> NDArray[np.uint16]:
    """Region at each of the points (x, y) [n, 2], or next to it; 0 for none."""
    near = nearest_label(ids.astype(np.uint16), REACH)
    height, width = ids.shape
    column = np.clip(np.rint(points[:, 0]), 0, width - 1).astype(int)
    row = np.clip(np.rint(points[:, 1]), 0, height - 1).astype(int)
    return np.asarray(near[row, column], np.uint16)
