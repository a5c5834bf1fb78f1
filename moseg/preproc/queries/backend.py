"""The `queries` stage: draws the points to track from a grid on every query frame."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moseg.core.frame_record import FrameRecord
from moseg.core.stage import Backend, Params, Report, Task
from moseg.preproc.queries.draw import all_points, grid_points

LONGEST_WINDOW = 512
"""Frames; longer windows gain nothing and take the classifier longer and longer."""


class GridQueryParams(Params):
    """Which points a tracking network follows; the built-in tracks choose their own."""

    backend: Literal["grid"] = Field("grid", description="points on a grid of each query frame")
    step: int = Field(10, ge=1, description="frames between query frames")
    limit: int | None = Field(
        5000, ge=1, description="points drawn for a window of frames; null tracks the whole grids"
    )
    window: int | None = Field(
        None,
        ge=2,
        description="frames tracked together; null: as many as memory_gb allows, "
        f"up to {LONGEST_WINDOW}",
    )
    memory_gb: float = Field(
        4.0, gt=0, description="memory for tracking, which sets the window of long videos"
    )


class WindowedParams(Params):
    """Settings of the queries once the length of the windows is known.

    The assembly works it out, since it depends on the tracker; what it follows from is no part
    of an artefact's identity.
    """

    step: int
    limit: int | None = None
    window: int


class GridQueries(Backend[WindowedParams]):
    """Draws points before they are tracked, with a stored seed."""

    stage = "queries"
    name = "grid"
    version = 1
    needs = ("frames",)
    suffix = ".npz"
    seeded = True

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        params = self.params
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        grid = grid_points(frames.height, frames.width)
        points = all_points(len(frames), grid, params.step, params.window, params.limit, task.seed)
        points.save(task.out)
        return Report(
            {
                "query_frames": len(points.query_frames),
                "query_points": len(points),
                "windows": len(points.starts),
                "frames_in_window": points.length,
            }
        )
