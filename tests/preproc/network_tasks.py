"""Scenes, settings and tasks for backends with small networks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.query_points import QueryPoints
from moseg.core.scene import Scene
from moseg.core.stage import Task
from moseg.preproc.frames.source import FramesParams, SourceFrames
from tests.media import write_images


def pictures(count: int, height: int, width: int) -> list[NDArray[np.uint8]]:
    """Smooth random frames, all different."""
    noise = np.random.default_rng(0).integers(0, 256, (count, height, width, 3), np.uint8)
    return [np.asarray(cv2.GaussianBlur(frame, (0, 0), 2.0)) for frame in noise]


def image_task(folder: Path, frames: list[NDArray[np.uint8]], threads: int = 1) -> Task:
    """Return a task on frames whose `frames` artefact is made now; `folder` is new."""
    scene = Scene("scene", write_images(folder / "scene", frames), "images")
    return scene_task(folder, scene, threads)


def scene_task(folder: Path, scene: Scene, threads: int = 1) -> Task:
    """Return a task on a scene; its artefact goes to `folder/out`."""
    SourceFrames(FramesParams()).run(Task(scene, {}, folder / "frames.json"))
    (folder / "out").mkdir()
    inputs = {"frames": folder / "frames.json", "queries": folder / "queries.npz"}
    return Task(scene, inputs, folder / "out", threads=threads)


def ask(task: Task, points: dict[int, list[tuple[float, float]]], window: int = 100) -> QueryPoints:
    """Write the `queries` artefact of a task: query frame -> points (x, y)."""
    frames = np.repeat(np.array(sorted(points), np.int64), [len(points[q]) for q in sorted(points)])
    starts = np.unique(frames // window * window)
    asked = QueryPoints(
        starts=starts,
        length=window,
        window=np.searchsorted(starts, frames // window * window),
        frame=frames,
        xy=np.array([xy for q in sorted(points) for xy in points[q]], np.float32).reshape(-1, 2),
        drawn=True,
    )
    asked.save(task.inputs["queries"])
    return asked
