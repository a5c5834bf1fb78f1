"""Features from files that another program made: `dinos/<scene>/<query frame>.npy` or `.h5`."""

from __future__ import annotations

from pathlib import Path

from moseg.core.errors import InputError
from moseg.core.foreign_files import content_digest
from moseg.core.foreign_maps import read_feature_map
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
            values = read_feature_map(self.folder / task.scene.name, frames.names[query], channels)
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
