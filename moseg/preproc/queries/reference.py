"""Query points from track files that another program made: `bootstapir/<scene>/`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError
from moseg.core.foreign_files import content_digest, read_numbers
from moseg.core.frame_record import FrameRecord
from moseg.core.query_points import QueryPoints, nearest_window, window_starts
from moseg.core.scene import Scene
from moseg.core.stage import Backend, Report, Task
from moseg.preproc.queries.backend import WindowedParams
from moseg.preproc.queries.draw import grid_points


class ReferenceQueries(Backend[WindowedParams]):
    """The points of `<query>_<query>.npy`, float64 [N, 4], of every query frame 0, step, ...

    A whole grid of points is what the reference tracks: the classifier has yet to draw from it.
    Fewer points are a sample that was drawn before tracking, as moseg exports it.
    """

    stage = "queries"
    name = "reference_files"
    version = 1
    needs = ("frames",)
    suffix = ".npz"

    def __init__(self, params: WindowedParams, folder: Path) -> None:
        # How many points there are was decided by whoever made the files.
        super().__init__(params.model_copy(update={"limit": None}))
        self.folder = folder

    def identity(self, scene: Scene) -> dict[str, str]:
        """The content of all track files: what is tracked, and where it goes."""
        return {"files": content_digest(sorted((self.folder / scene.name).glob("*.npy")))}

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        folder, names = self.folder / task.scene.name, frames.names
        found = find_queries(folder, names)
        queries = [query for query in found if query % self.params.step == 0]
        if not queries:
            raise InputError(
                f"{folder} has tracks of frames {', '.join(map(str, found[:3]))}, ..., none of a "
                f"multiple of {self.params.step}; set queries.step to that of the files"
            )
        length = min(len(names), self.params.window)
        starts = window_starts(len(names), length)
        homes = [nearest_window(query, starts, length) for query in queries]
        used, renumbered = np.unique(homes, return_inverse=True)
        size = (frames.height, frames.width)
        points = [read_points(folder / f"{names[q]}_{names[q]}.npy", size) for q in queries]
        counts = [len(xy) for xy in points]
        QueryPoints(
            starts=starts[used],
            length=length,
            window=np.repeat(renumbered, counts).astype(np.int64),
            frame=np.repeat(queries, counts).astype(np.int64),
            xy=np.concatenate(points),
            drawn=min(counts) < len(grid_points(*size)),
        ).save(task.out)
        left = len(found) - len(queries)
        notes = (f"tracks of {left} query frames are left out, by queries.step",) if left else ()
        return Report({"query_frames": len(queries), "query_points": sum(counts)}, notes)


def read_points(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the query points float32 [n, 2] in the tracks of their own frame.

    Raises:
        InputError: as `read_numbers`, or they are no points of frames of this size.
    """
    xy = read_numbers(path, (None, 4))[:, :2].astype(np.float32)
    height, width = size
    inside = ((xy >= 0) & (xy <= [width - 1, height - 1])).all()
    if not len(xy):
        raise InputError(f"{path} holds no tracks; delete its folder and run --tracks")
    if not inside or len(xy) > len(grid_points(height, width)):
        raise InputError(
            f"{path} is of frames of another size, these are {width}x{height}; use the same "
            "images, with or without --e, as when it was made"
        )
    return xy


def find_queries(folder: Path, names: tuple[str, ...]) -> list[int]:
    """Return the query frames that have files, ascending.

    Frame names may hold `_`: files are told apart by the names that are known.

    Raises:
        InputError: there is none, or a query frame lacks the file of a frame.
    """
    stems = {path.stem for path in folder.glob("*.npy")}
    queries = [
        number
        for number, query in enumerate(names)
        if any(f"{query}_{target}" in stems for target in names)
    ]
    if not queries:
        raise InputError(
            f"{folder} holds no <query>_<frame>.npy of these frames; delete it and run --tracks"
        )
    for query in queries:
        for target in names:
            if f"{names[query]}_{target}" not in stems:
                raise InputError(
                    f"{folder}: {names[query]}_{target}.npy is missing, the tracks are not "
                    "complete; delete the folder and run --tracks"
                )
    return queries
