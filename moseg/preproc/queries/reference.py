"""Query points from track files that another program made: `bootstapir/<scene>/`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moseg.core.errors import InputError
from moseg.core.foreign_files import content_digest, read_numbers
from moseg.core.frame_record import FrameRecord
from moseg.core.query_points import QueryPoints, nearest_window, window_starts
from moseg.core.scene import Scene
from moseg.core.stage import Backend, Report, Task
from moseg.preproc.queries.backend import GridQueryParams


class ReferenceQueries(Backend[GridQueryParams]):
    """The points of `<query>_<query>.npy`, float64 [N, 4], for every query frame there is."""

    stage = "queries"
    name = "reference_files"
    version = 1
    needs = ("frames",)
    suffix = ".npz"

    def __init__(self, params: GridQueryParams, folder: Path) -> None:
        super().__init__(params)
        self.folder = folder

    def identity(self, scene: Scene) -> dict[str, str]:
        """The content of all track files: what is tracked, and where it goes."""
        return {"files": content_digest(sorted((self.folder / scene.name).glob("*.npy")))}

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        assert self.params.window is not None
        names = FrameRecord.load(task.inputs["frames"]).open(task.scene).names
        folder = self.folder / task.scene.name
        queries = find_queries(folder, names)
        length = min(len(names), self.params.window)
        starts = window_starts(len(names), length)
        homes = [nearest_window(query, starts, length) for query in queries]
        used, renumbered = np.unique(homes, return_inverse=True)
        grids = [
            read_numbers(folder / f"{names[q]}_{names[q]}.npy", (None, 4))[:, :2] for q in queries
        ]
        counts = [len(grid) for grid in grids]
        QueryPoints(
            starts=starts[used],
            length=length,
            window=np.repeat(renumbered, counts).astype(np.int64),
            frame=np.repeat(queries, counts).astype(np.int64),
            xy=np.concatenate(grids).astype(np.float32),
            drawn=False,
        ).save(task.out)
        return Report({"query_frames": len(queries), "query_points": sum(counts)})


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
