"""Scenes of a few pixels in the reference layout, of which every value is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.motion.datasets.sample import TrackSample
from moseg.motion.datasets.scenes import Dataset

HEIGHT, WIDTH = 12, 16
CELLS = 3, 4
"""Rows and columns of the maps of features."""
SEEN, HIDDEN = -6.0, 6.0
"""Logits of occlusion."""
DRIFT = 0.125
"""Pixels that every track goes to the right from one frame of the source to the next."""


def names(count: int) -> list[str]:
    """00000, 00001, ..."""
    return [f"{i:05d}" for i in range(count)]


def grid(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float64]:
    """Every pixel as a point (x, y), row by row."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)


def moving_half(query: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.uint8]:
    """The mask of a frame: the left half and as many rows at the top as its number says."""
    mask = np.zeros(size, np.uint8)
    mask[:, : size[1] // 2] = 255
    mask[:query] = 255
    return mask


def depth_image(frame: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.uint16]:
    """The depth of a frame: no two pixels and no two frames are alike."""
    return (np.arange(size[0] * size[1]).reshape(size) * 40 + frame).astype(np.uint16)


def feature_map(frame: int, channels: int = 5) -> NDArray[np.float16]:
    """The features of a frame: cell number, frame number, and zeros."""
    values = np.zeros((*CELLS, channels), np.float16)
    values[..., 0] = np.arange(CELLS[0] * CELLS[1]).reshape(CELLS)
    values[..., 1] = frame
    return values


def track_file(query: int, target: int, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tracks of one query frame in another frame: all move right, all are seen."""
    rows = np.full((len(points), 4), SEEN)
    rows[:, :2] = points
    rows[:, 0] += (target - query) * DRIFT
    return rows


def write_image(path: Path, image: NDArray[Any]) -> None:
    """Write any array as an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write `.npy`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def write_scene(
    images: Path,
    masks: Path,
    depth: Path,
    tracks: Path,
    features: Path,
    *,
    count: int,
    queries: Sequence[int],
    size: tuple[int, int] = (HEIGHT, WIDTH),
) -> None:
    """Write one scene of `count` frames, with tracks and features of its query frames."""
    points = grid(*size)
    for frame, name in enumerate(names(count)):
        write_image(images / f"{name}.png", np.full((*size, 3), frame, np.uint8))
        write_image(masks / f"{name}.png", moving_half(frame, size))
        write_image(depth / f"{name}.png", depth_image(frame, size))
    for query in queries:
        write_array(features / f"{query:05d}.npy", feature_map(query))
        for target, name in enumerate(names(count)):
            write_array(tracks / f"{query:05d}_{name}.npy", track_file(query, target, points))


def kubric(root: Path, scene: str = "17", split: str = "train", **told: Any) -> None:
    """One scene of Kubric MOVi-F."""
    home = root / split
    write_scene(
        home / "images" / scene,
        home / "masks" / scene,
        home / "depth_anything_v2" / scene,
        home / "bootstapir_dense" / scene,
        home / "dinos" / scene,
        **{"count": 10, "queries": [0, 8], **told},
    )


def dynamic_replica(
    root: Path, scene: str = "009850-3_obj_source_left", split: str = "train", **told: Any
) -> None:
    """One sequence of Dynamic Replica."""
    home = root / split / scene
    write_scene(
        home / "images",
        home / "dynamic_masks",
        home / "depth_anything_v2",
        home / "bootstapir_random",
        home / "dinos",
        **{"count": 35, "queries": [0, 2, 32, 34], **told},
    )


def hoi4d(root: Path, scene: str = "00000", **told: Any) -> None:
    """One scene of HOI4D."""
    write_scene(
        root / "images" / scene,
        root / "dynamic_masks" / scene,
        root / "depth_anything_v2" / scene,
        root / "bootstapir" / scene,
        root / "dinos2" / scene,
        **{"count": 16, "queries": [0, 15], **told},
    )


def waymo(root: Path, scene: str = "023_0", **told: Any) -> None:
    """One scene of Waymo."""
    home = root / scene
    write_scene(
        home / "images",
        home / "dynamic_masks",
        home / "depth_anything_v2",
        home / "bootstapir",
        home / "dinos",
        **{"count": 17, "queries": [8, 12, 16], **told},
    )


def snapshot(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, hidden files too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def draw(dataset: Dataset, seed: int = 0, scene: int = 0) -> TrackSample:
    """A sample of one scene, drawn from a seed."""
    return dataset.sample(scene, np.random.default_rng(seed))
