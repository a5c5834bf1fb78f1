"""The `frames` stage: decode the source once and write down what there is."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import Field

from moseg.core.fingerprint import fingerprint
from moseg.core.frame_index import IMAGE_FPS, FrameIndex, index_frames
from moseg.core.frame_record import FrameRecord, Origin
from moseg.core.scene import Scene
from moseg.core.selection import Selection
from moseg.core.stage import Backend, Params, Report, Task


class FramesParams(Params):
    """Which frames of a source are worked on, and at which size."""

    max_frames: int | None = Field(
        None, ge=1, description="work on at most this many frames, evenly spread; null: all"
    )
    max_side: int | None = Field(
        None, ge=1, description="shrink frames to at most this many pixels on the longer side"
    )
    image_fps: float = Field(
        IMAGE_FPS, gt=0, le=1000, description="frames per second of image folders"
    )


class SourceFrames(Backend[FramesParams]):
    """Counts, measures and checks all frames of a video or image folder.

    An image folder that was extracted from a video has that video's record under
    `origins/<scene>/frames.json`; masks are then mapped back to the video.
    """

    stage = "frames"
    name = "source"
    version = 1
    suffix = ".json"

    def __init__(self, params: FramesParams, origins: Path | None = None) -> None:
        super().__init__(params)
        self.origins = origins

    def identity(self, scene: Scene) -> dict[str, str]:
        """The content of the input, and of the record of where it came from."""
        origin = self._origin_path(scene)
        if origin is None:
            return {"input": fingerprint(scene)}
        digest = hashlib.sha256(origin.read_bytes()).hexdigest()
        return {"input": fingerprint(scene), "origin": digest}

    def run(self, task: Task) -> Report:
        """See `Backend.run`.

        Raises:
            InputError: the source cannot be used.
        """
        params = self.params
        index = index_frames(task.scene, params.image_fps)
        origin, notes = self._origin(task.scene, index)
        record = FrameRecord(index, Selection(params.max_frames, params.max_side), origin)
        task.out.write_text(record.to_json(), encoding="utf-8")
        target = record.target
        summary = {
            "frames": len(target),
            "height": target.height,
            "width": target.width,
            "fps": round(target.fps, 6),
        }
        return Report(summary, (*index.notes, *notes))

    def _origin_path(self, scene: Scene) -> Path | None:
        if self.origins is None:
            return None
        path = self.origins / scene.name / "frames.json"
        return path if path.is_file() else None

    def _origin(self, scene: Scene, index: FrameIndex) -> tuple[Origin | None, tuple[str, ...]]:
        """Return the video the images came from, if the folder still holds its frames."""
        path = self._origin_path(scene)
        if path is None:
            return None, ()
        video = FrameRecord.load(path)
        kept = video.selection.indices(len(video.index))
        names = tuple(f"{i:05d}" for i in range(len(kept)))
        size = (video.index.height, video.index.width)
        if index.names != names or (index.height, index.width) != size:
            return None, (
                "the images are no longer those extracted from the video; "
                "masks are made for the images alone",
            )
        return Origin(video.index, kept), video.index.notes
