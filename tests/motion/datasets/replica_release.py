"""Dynamic Replica as its authors publish it, in small: a chair that stands and a dog that runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.motion.datasets.tiny_scenes import write_image

CHAIR, DOG = 3, 8
"""Ids of the trajectories."""
CHAIR_VALUE, DOG_VALUE = 10, 40
"""Values in the id maps."""
FRAMES = 3


def id_map(frame: int) -> np.ndarray:
    """The chair above, the dog below; 16 bit."""
    values = np.full((6, 8), CHAIR_VALUE, np.uint16)
    values[3 + frame % 2 :] = DOG_VALUE
    return values


def write_sequence(
    folder: Path, name: str, moving: Sequence[int] = (DOG,), extra_value: int | None = None
) -> None:
    """One camera.

    Args:
        moving: ids of the instances whose points move.
        extra_value: a value that the first id map has besides.
    """
    import torch

    here = folder / name
    for kind in ("images", "masks"):
        for frame in range(FRAMES):
            write_image(here / kind / f"{name}_{frame:04d}.png", np.full((6, 8), 7, np.uint8))
    for frame in range(FRAMES):
        values = id_map(frame)
        if extra_value is not None and frame == 0:
            values[0, 0] = extra_value
        write_image(here / "instance_id_maps" / f"{name}_{frame:04d}.png", values)
    (here / "trajectories").mkdir()
    instances = np.array([CHAIR] * 4 + [DOG] * 5)
    start = np.random.default_rng(0).normal(size=(9, 3))
    for frame in range(FRAMES):
        moved = start + np.isin(instances, list(moving))[:, None] * frame * 0.01
        stored = {
            "traj_3d_world": torch.from_numpy(moved).float(),
            "instances": torch.from_numpy(instances),
            "img": torch.zeros(1),
        }
        torch.save(stored, here / "trajectories" / f"{frame:06d}.pth")


def dog_masks(folder: Path) -> bool:
    """Whether the masks in a folder are those of the dog alone."""
    import cv2

    found = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(folder.iterdir())]
    wanted = [np.where(id_map(frame) == DOG_VALUE, 255, 0) for frame in range(FRAMES)]
    return np.array_equal(found, wanted)
