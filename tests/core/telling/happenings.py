"""Records, results and events of runs that never were, and a clock that is set by hand."""

from __future__ import annotations

from pathlib import Path

from moseg.core.execute import StageRecord
from moseg.core.progress import Event
from moseg.core.runner import SceneResult
from moseg.core.scene import Scene


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(scene="a", stage="flow", status="done", **fields) -> StageRecord:
    return StageRecord(scene, stage, "toy", status, **fields)


def result(scene="a", *records: StageRecord) -> SceneResult:
    return SceneResult(Scene(scene, Path("/videos") / f"{scene}.mp4", "video"), records)


def scenes(number) -> Event:
    return Event("scenes", total=number)


def start(scene="a", stage="flow", **fields) -> Event:
    return Event("start", scene, stage, **{"reason": "not made yet", **fields})


def progress(done, total, scene="a", stage="flow") -> Event:
    return Event("progress", scene, stage, done=done, total=total)


def end(scene="a", stage="flow", status="done", **fields) -> Event:
    return Event("end", scene, stage, record=record(scene, stage, status, **fields))


def over(scene="a", status="done", frames=0, **fields) -> Event:
    """A scene of one stage is over."""
    only = record(scene, "flow", status, frames=frames, **fields)
    return Event("scene", scene, result=result(scene, only))
