"""Tracks from files that another program made: `bootstapir/<scene>/<query>_<frame>.npy`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.foreign_files import read_numbers
from moseg.core.frame_record import FrameRecord
from moseg.core.query_points import QueryPoints
from moseg.core.stage import Backend, NoParams, Report, Task
from moseg.core.track_array import TrackArrayWriter


class ReferenceTracks(Backend[NoParams]):
    """Gathers one file for each query and target frame, float64 [N, 4], into one array.

    What the files hold is part of the identity of the `queries` stage, which reads them first.
    """

    stage = "tracks"
    name = "reference_files"
    version = 1
    needs = ("frames", "queries")

    def __init__(self, folder: Path) -> None:
        super().__init__(NoParams())
        self.folder = folder

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        names = FrameRecord.load(task.inputs["frames"]).open(task.scene).names
        points = QueryPoints.load(task.inputs["queries"])
        queries = points.query_frames
        with TrackArrayWriter(task.out, points) as writer:
            for done, query in enumerate(queries, start=1):
                rows = points.rows_of_frame(query)
                start = points.start_of(query)
                window = names[start : start + points.length]
                folder = self.folder / task.scene.name
                writer.append(_gather(folder, names[query], window, rows.stop - rows.start))
                task.progress(done, len(queries))
        return Report({"tracks": len(points)})


def _gather(folder: Path, query: str, targets: tuple[str, ...], count: int) -> NDArray[np.float32]:
    """Return the tracks float32 [count, L, 4] of one query frame over its window."""
    tracks = np.empty((count, len(targets), 4), np.float32)
    for at, target in enumerate(targets):
        tracks[:, at] = read_numbers(folder / f"{query}_{target}.npy", (count, 4))
    return tracks
