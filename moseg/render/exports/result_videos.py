"""The four videos of `final_res/<scene>/video/` in the reference layout."""

from __future__ import annotations

from moseg.core.frame_record import FrameRecord
from moseg.core.frames import Frames
from moseg.core.masks import read_mask_png
from moseg.core.stage import Backend, NoParams, Report, Task
from moseg.render.track_video import ResultVideos


class ResultVideoFiles(Backend[NoParams]):
    """The images of the scene with their masks; all objects as one."""

    stage = "result_videos"
    name = "mp4"
    version = 1
    needs = ("frames", "masks")

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        record = FrameRecord.load(task.inputs["frames"])
        index, target = record.index, record.target
        kept = record.source_positions
        with ResultVideos(task.out, index.height, index.width, index.fps) as videos:
            for number, frame in enumerate(Frames(task.scene, index)):
                name, time = target.names[kept[number]], target.times[kept[number]]
                ids = read_mask_png(task.inputs["masks"] / f"{name}.png")
                videos.add(frame, ids, time)
                task.progress(number + 1, len(index))
        return Report(notes=tuple(videos.notes))
