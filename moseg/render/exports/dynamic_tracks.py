"""Moving tracks in the reference layout, with two videos that show them.

Files: `dynamic_traj.npy` float32 [2, n, T] (x, y), `dynamic_visibility.npy` bool [n, T]
(visible, and confidence above 0.9), `dynamic_confidences.npy` float32 [n, T]. Outside the
window of its query frame a track keeps its last position and is not visible. At most
`MOST_TRACKS` are written, evenly drawn from all that move. `original.mp4` shows some of all
tracks, `dynamic.mp4` those of them that move.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.arrays import save_array
from moseg.core.frame_record import FrameRecord
from moseg.core.frames import Frames
from moseg.core.labelled_tracks import CONFIDENT, Rows, even_share, label_files, moving_rows
from moseg.core.stage import Backend, NoParams, Report, Task
from moseg.core.track_sets import TrackSets
from moseg.core.types import TrackLabels, Tracks
from moseg.render.track_video import TrackVideos

MOST_TRACKS = 5000
DRAWN_TRACKS = 150
"""Tracks of one query frame that the videos show; more would hide the picture."""


Drawn = tuple[
    int, tuple[NDArray[np.float32], NDArray[np.bool_]], NDArray[np.float32], NDArray[np.bool_]
]
"""First frame, places and visibility, height on the query frame, and label of some tracks."""


class DynamicTracks(Backend[NoParams]):
    """Writes the tracks that move, over all frames."""

    stage = "dynamic_tracks"
    name = "npy"
    version = 1
    needs = ("frames", "tracks", "labels")

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        first = 0
        with TrackSets(task.inputs["tracks"]) as sets:
            files = label_files(sets, task.inputs["tracks"], task.inputs["labels"])
            chosen = _choose(files)
            total = sum(len(rows) for rows in chosen.values())
            traj = np.zeros((2, total, len(frames)), np.float32)
            visible = np.zeros((total, len(frames)), bool)
            confidence = np.zeros((total, len(frames)), np.float32)
            for query in sets.query_frames:
                rows = chosen[query]
                part = np.s_[first : first + len(rows)]
                _fill(sets.load(query), rows, traj[:, part], visible[part], confidence[part])
                first += len(rows)
            drawn = [
                _drawn(sets.load(query), TrackLabels.load(files[query]))
                for query in sets.query_frames
            ]
        save_array(task.out / "dynamic_traj.npy", traj)
        save_array(task.out / "dynamic_visibility.npy", visible & (confidence > CONFIDENT))
        save_array(task.out / "dynamic_confidences.npy", confidence)
        _draw_videos(task, frames, drawn)
        notes = () if total else ("nothing moves: no track is written",)
        return Report({"dynamic_tracks": total}, notes)


def _choose(files: Mapping[int, Path]) -> dict[int, Rows]:
    """Return, for each query frame, the rows of the moving tracks to write."""
    return even_share(moving_rows(files), MOST_TRACKS)


def _fill(
    tracks: Tracks,
    rows: NDArray[np.intp],
    traj: NDArray[np.float32],
    visible: NDArray[np.bool_],
    confidence: NDArray[np.float32],
) -> None:
    """Copy the rows of one set into arrays over all frames, [2, k, T] and [k, T]."""
    frames, length = visible.shape[1], tracks.xy.shape[1]
    at = np.clip(np.arange(frames) - tracks.start, 0, length - 1)
    traj[:] = tracks.xy[rows][:, at].transpose(2, 0, 1)
    window = np.s_[:, tracks.start : tracks.start + length]
    visible[window] = tracks.visible[rows]
    confidence[window] = tracks.confidence[rows]


def _draw_videos(task: Task, frames: Frames, drawn: list[Drawn]) -> None:
    """Write `original.mp4` and `dynamic.mp4`, frame by frame."""
    start_y = np.concatenate([y for _, _, y, _ in drawn])
    dynamic = np.concatenate([moving for _, _, _, moving in drawn])
    size = (frames.height, frames.width)
    with TrackVideos(task.out, *size, start_y, dynamic, frames.fps) as videos:
        for number, frame in enumerate(frames):
            xy = np.full((len(dynamic), 2), np.nan, np.float32)
            visible = np.zeros(len(dynamic), bool)
            first = 0
            for start, (places, seen), y, _ in drawn:
                if 0 <= number - start < places.shape[1]:
                    xy[first : first + len(y)] = places[:, number - start]
                    visible[first : first + len(y)] = seen[:, number - start]
                first += len(y)
            videos.add(frame, xy, visible, frames.times[number])
            task.progress(number + 1, len(frames))


def _drawn(tracks: Tracks, labels: TrackLabels) -> Drawn:
    """Return start, places and visibility, height on the query frame, and label of some tracks.

    Ended tracks are left out (NaN) rather than drawn where they were lost.
    """
    count = min(DRAWN_TRACKS, len(tracks.xy))
    rows = np.arange(count) * len(tracks.xy) // max(count, 1)
    seen = tracks.visible[rows]
    places = np.where(seen[..., None], tracks.xy[rows], np.nan).astype(np.float32)
    at = tracks.query_frame - tracks.start
    return tracks.start, (places, seen), tracks.xy[rows, at, 1], labels.dynamic[rows]
