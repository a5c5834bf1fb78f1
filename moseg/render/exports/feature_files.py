"""Feature maps as one array a query frame: the feature folder of the reference layout."""

from __future__ import annotations

from moseg.core.arrays import save_array
from moseg.core.frame_record import FrameRecord
from moseg.core.stage import Backend, NoParams, Report, Task
from moseg.core.types import FeatureMap, list_by_frame


class FeatureFiles(Backend[NoParams]):
    """Writes `<frame>.npy`, float16 [h, w, C], for query frames only."""

    stage = "feature_files"
    name = "npy"
    version = 1
    needs = ("frames", "dinos")

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        names = FrameRecord.load(task.inputs["frames"]).open(task.scene).names
        paths = list_by_frame(task.inputs["dinos"])
        for path in paths:
            features = FeatureMap.load(path)
            save_array(task.out / f"{names[features.query_frame]}.npy", features.values)
        return Report({"feature_files": len(paths)})
