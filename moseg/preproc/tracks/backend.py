"""The `tracks` stage, built in: grid tracks by chained flow, one file a query frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import Field

from moseg.core.frame_record import FrameRecord
from moseg.core.parallel import ordered_map
from moseg.core.query_frames import query_frames
from moseg.core.stage import Backend, Params, Report, Resources, Task
from moseg.core.types import Tracks
from moseg.core.working_clip import Scale, WorkingClip
from moseg.preproc.tracks.grid import track_set


class GridParams(Params):
    """Where tracks start and how far they run."""

    backend: Literal["grid"] = Field("grid", description="chained flow, without a network")
    step: int = Field(5, ge=1, description="frames between query frames")
    span: int = Field(10, ge=1, le=200, description="frames a track runs to either side")
    spacing: int = Field(5, ge=1, le=64, description="working pixels between tracks")


class GridTracks(Backend[GridParams]):
    """Tracks from a grid on each query frame, forwards and backwards."""

    stage = "tracks"
    name = "grid"
    version = 1
    needs = ("frames", "flow")
    resources = Resources(memory_gb=0.5)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        queries = query_frames(len(frames), self.params.step)
        count = 0
        with WorkingClip(task.inputs["flow"]) as clip:
            scale = Scale.between((frames.height, frames.width), clip.size)
            track = self._tracker(clip, scale)
            for done, tracks in enumerate(ordered_map(track, queries, task.threads), start=1):
                tracks.save(task.out / f"{tracks.query_frame:05d}.npz")
                count += len(tracks.xy)
                task.progress(done, len(queries))
        return Report({"tracks": count, "query_frames": len(queries)})

    def _tracker(self, clip: WorkingClip, scale: Scale) -> Callable[[int], Tracks]:
        params = self.params

        def track(query: int) -> Tracks:
            found = track_set(clip, query, len(clip), clip.size, params.span, params.spacing)
            return Tracks(
                query_frame=query,
                start=found.start,
                xy=scale.to_selected(found.xy),
                visible=found.visible,
                visibility=found.visibility,
                confidence=found.confidence,
            )

        return track
