"""The `labels` stage, built in: which tracks move, by statistics over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.core.arrays import FrameArray
from moseg.core.errors import CacheError
from moseg.core.frame_record import FrameRecord
from moseg.core.parallel import ordered_map
from moseg.core.stage import Backend, Params, Report, Resources, Task
from moseg.core.types import FeatureMap, TrackLabels, Tracks, list_by_frame
from moseg.core.working_clip import Scale, WorkingClip
from moseg.motion import statistics

Float32 = NDArray[np.float32]

FEWEST_FRAMES = 3
"""With fewer frames there is no motion to compare."""
SMALLEST_SIDE = 16
"""Working pixels; in smaller frames nothing can be told apart."""


class StatisticsParams(Params):
    """Which tracks count as moving."""

    backend: Literal["statistics"] = Field("statistics", description="without a network")
    threshold: float = Field(0.5, gt=0, lt=1, description="probability above which a track moves")


@dataclass(frozen=True)
class _Set:
    """The tracks of one query frame with what the labels are made from."""

    tracks: Tracks
    evidence: Float32
    pooled: Float32
    look: Float32


class StatisticsLabels(Backend[StatisticsParams]):
    """Pools motion evidence along tracks and lets similar tracks vote."""

    stage = "labels"
    name = "statistics"
    version = 1
    needs = ("frames", "flow", "depths", "tracks", "dinos")
    resources = Resources(memory_gb=0.5)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        with WorkingClip(task.inputs["flow"]) as clip:
            size = clip.size
        enough = len(frames) >= FEWEST_FRAMES and min(size) >= SMALLEST_SIDE
        scale = Scale.between((frames.height, frames.width), size)
        windows = _windows(_sets(task, scale, size[1]))
        moving = total = 0
        labelled = ordered_map(lambda w: self._label(w, enough), windows, task.threads)
        for labels in labelled:
            labels.save(task.out / f"{labels.query_frame:05d}.npz")
            moving += int(labels.dynamic.sum())
            total += len(labels.dynamic)
            task.progress(labels.query_frame + 1, len(frames))
        summary = {"moving_tracks": moving, "labelled_tracks": total}
        return Report(
            summary, () if enough else (_too_little(len(frames), frames.height, frames.width),)
        )

    def _label(self, window: tuple[_Set, list[_Set]], enough: bool) -> TrackLabels:
        """Label one set, given the sets around it in time, itself included."""
        own, near = window
        rows = [statistics.voter_rows(len(other.pooled)) for other in near]
        voters = np.concatenate([o.look[r] for o, r in zip(near, rows, strict=True)])
        votes = np.concatenate([o.pooled[r] for o, r in zip(near, rows, strict=True)])
        agreed = statistics.consensus(own.look, voters, votes)
        log_odds, probability = statistics.label_set(own.evidence, own.pooled, agreed)
        if not enough:
            log_odds = np.full_like(log_odds, -statistics.LIMIT)
            probability = np.zeros_like(probability)
        return TrackLabels(
            query_frame=own.tracks.query_frame,
            start=own.tracks.start,
            probability=probability,
            log_odds=log_odds,
            dynamic=probability > self.params.threshold,
            threshold=self.params.threshold,
        )


def _sets(task: Task, scale: Scale, width: int) -> Iterator[_Set]:
    """Yield the sets of tracks in order of time, with evidence and looks read under them."""
    features = {int(path.stem): path for path in list_by_frame(task.inputs["dinos"])}
    with FrameArray(task.inputs["depths"] / "evidence.npy") as maps:
        for path in list_by_frame(task.inputs["tracks"]):
            tracks = Tracks.load(path)
            if tracks.query_frame not in features:
                raise CacheError(f"{path.name}: no features of this query frame; run --dinos again")
            xy = scale.to_working(tracks.xy)
            evidence = statistics.track_evidence(maps, tracks.start, xy, tracks.visible)
            look = FeatureMap.load(features[tracks.query_frame])
            points = xy[:, tracks.query_frame - tracks.start]
            cell = max(1, round(look.cell / scale.x))
            yield _Set(
                tracks=tracks,
                evidence=evidence,
                pooled=statistics.pool_evidence(evidence, tracks.confidence),
                look=statistics.descriptors(look.values, cell, points, width),
            )


def _windows(sets: Iterator[_Set]) -> Iterator[tuple[_Set, list[_Set]]]:
    """Yield each set with those within the voting span; holds no more than that."""
    span = statistics.VOTING_SPAN
    held: deque[_Set] = deque()
    waiting: deque[_Set] = deque()
    for new in sets:
        while waiting and new.tracks.query_frame - waiting[0].tracks.query_frame > span:
            yield _window(waiting.popleft(), held, span)
        held.append(new)
        waiting.append(new)
        while held[0].tracks.query_frame < waiting[0].tracks.query_frame - span:
            held.popleft()
    while waiting:
        yield _window(waiting.popleft(), held, span)


def _window(own: _Set, held: deque[_Set], span: int) -> tuple[_Set, list[_Set]]:
    middle = own.tracks.query_frame
    return own, [other for other in held if abs(other.tracks.query_frame - middle) <= span]


def _too_little(frames: int, height: int, width: int) -> str:
    count = "1 frame" if frames == 1 else f"{frames} frames"
    verb = "is" if frames == 1 else "are"
    return f"{count} of {width}x{height} pixels {verb} too little to see motion"
