"""The feature stage, built in: hand-made appearance features, one file a query frame."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moseg.core.frame_record import FrameRecord
from moseg.core.parallel import ordered_map
from moseg.core.query_frames import query_frames
from moseg.core.stage import Backend, Params, Report, Resources, Task
from moseg.core.types import FeatureMap
from moseg.core.working_clip import WorkingClip
from moseg.preproc.dinos.handmade import feature_map


class HandmadeParams(Params):
    """Appearance features of query frames."""

    backend: Literal["handmade"] = Field("handmade", description="without a network")
    step: int = Field(5, ge=1, description="frames between query frames; that of the tracks")
    cell: int = Field(4, ge=1, le=64, description="side of a feature cell in working pixels")


class HandmadeFeatures(Backend[HandmadeParams]):
    """Colour, gradient energy and local deviation at several scales."""

    stage = "dinos"
    name = "handmade"
    version = 1
    needs = ("frames", "flow")
    resources = Resources(memory_gb=0.5)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        queries = query_frames(len(frames), self.params.step)
        with WorkingClip(task.inputs["flow"]) as clip:
            cell = self.params.cell * frames.width / clip.size[1]

            def features(query: int) -> FeatureMap:
                return FeatureMap(query, feature_map(clip.rgb(query), self.params.cell), cell)

            maps = ordered_map(features, queries, task.threads)
            for done, features_of_query in enumerate(maps, start=1):
                features_of_query.save(task.out / f"{features_of_query.query_frame:05d}.npz")
                task.progress(done, len(queries))
        return Report({"feature_maps": len(queries)})
