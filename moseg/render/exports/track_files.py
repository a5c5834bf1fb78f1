"""Tracks as one file for each query and target frame: the reference layout's track folder.

Each `<query>_<target>.npy` holds float64 [N, 4]: x, y in pixels of the frames used, and two
logits, occlusion and expected distance. A reader computes visibility = 1 - sigmoid(occlusion)
and confidence = 1 - sigmoid(distance), and takes a point for visible when their product is
above 0.5.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.arrays import save_array
from moseg.core.frame_record import FrameRecord
from moseg.core.stage import Backend, NoParams, Report, Task
from moseg.core.track_array import TrackArray
from moseg.core.track_sets import TrackSets
from moseg.core.types import Tracks

_FLOOR = 1e-4
"""Probabilities are kept this far from 0 and 1, so that logits stay finite."""
_VISIBLE = 0.75
"""Least visibility and confidence of a visible point: their product is then above 0.5."""


class TrackFiles(Backend[NoParams]):
    """Writes every set of tracks over all frames; outside its window a set is not visible."""

    stage = "track_files"
    name = "pairs"
    version = 1
    needs = ("frames", "tracks")

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        names = FrameRecord.load(task.inputs["frames"]).open(task.scene).names
        with TrackSets(task.inputs["tracks"]) as sets:
            queries = sets.query_frames
            for done, query in enumerate(queries, start=1):
                if sets.array:
                    write_logits(sets.array, query, names, task.out)
                else:
                    write_set(sets.load(query), names, task.out)
                task.progress(done, len(queries))
        return Report({"track_files": len(queries) * len(names)})


def write_logits(array: TrackArray, query: int, names: tuple[str, ...], out: Path) -> None:
    """Write one query frame's tracks with the logits the tracker gave."""
    block = array.block(array.points.rows_of_frame(query)).astype(np.float64)
    start = array.points.start_of(query)
    for target, name in enumerate(names):
        at = min(max(target - start, 0), block.shape[1] - 1)
        values = block[:, at]
        if at != target - start:
            values = np.concatenate(
                [values[:, :2], np.full_like(values[:, 2:], -_logit(_FLOOR))], 1
            )
        save_array(out / f"{names[query]}_{name}.npy", values)


def write_set(tracks: Tracks, names: tuple[str, ...], out: Path) -> None:
    """Write one query frame's tracks, with logits that stand for what is known."""
    query = names[tracks.query_frame]
    length = tracks.xy.shape[1]
    for target, name in enumerate(names):
        at = min(max(target - tracks.start, 0), length - 1)
        inside = at == target - tracks.start
        save_array(out / f"{query}_{name}.npy", rows(tracks, at, inside))


def rows(tracks: Tracks, at: int, inside: bool) -> NDArray[np.float64]:
    """Return the float64 [N, 4] rows of one target frame.

    Args:
        at: column of the window to take positions from.
        inside: False when the target frame lies outside the window.
    """
    seen = tracks.visible[:, at] & inside
    visibility = np.where(seen, np.maximum(tracks.visibility[:, at], _VISIBLE), _FLOOR)
    confidence = np.where(seen, np.maximum(tracks.confidence[:, at], _VISIBLE), _FLOOR)
    logits = np.stack([_logit(1 - visibility), _logit(1 - confidence)], axis=1)
    return np.concatenate([tracks.xy[:, at].astype(np.float64), logits], axis=1)


def _logit(probability: NDArray[np.floating] | float) -> NDArray[np.float64]:
    p = np.clip(np.asarray(probability, np.float64), _FLOOR, 1 - _FLOOR)
    return np.log(p / (1 - p))
