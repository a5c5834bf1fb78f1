"""Folders in the reference's layout, made from its description, and tasks that read them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.scene import Scene
from moseg.core.stage import Task
from moseg.preproc.frames.source import FramesParams, SourceFrames


def write_frames(folder: Path, names: list[str], size: tuple[int, int]) -> Scene:
    """Write one noisy image a name and return them as a scene."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in names:
        cv2.imwrite(str(folder / f"{name}.png"), rng.integers(0, 255, (*size, 3), np.uint8))
    return Scene(folder.name, folder, "images")


def frames_task(scene: Scene, work: Path, **inputs: Path) -> Task:
    """Return a task whose `frames` artefact is made now."""
    work.mkdir(parents=True, exist_ok=True)
    SourceFrames(FramesParams()).run(Task(scene, {}, work / "frames.json"))
    out = work / "out"
    out.mkdir(exist_ok=True)
    return Task(scene, {"frames": work / "frames.json", **inputs}, out)


def write_tracks(
    folder: Path, names: list[str], queries: list[int], counts: list[int]
) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Write `<query>_<target>.npy` float64 [N, 4] and return what they hold."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    held = {}
    for query, count in zip(queries, counts, strict=True):
        for target, name in enumerate(names):
            held[query, target] = rng.uniform(0, 10, (count, 4))
            np.save(folder / f"{names[query]}_{name}.npy", held[query, target])
    return held


def write_depths(folder: Path, names: list[str], size: tuple[int, int]) -> NDArray[np.uint16]:
    """Write 16-bit images and return what they hold, uint16 [T, H, W]."""
    folder.mkdir(parents=True)
    maps = np.random.default_rng(2).integers(0, 65536, (len(names), *size)).astype(np.uint16)
    for name, values in zip(names, maps, strict=True):
        cv2.imwrite(str(folder / f"{name}.png"), values)
    return maps
