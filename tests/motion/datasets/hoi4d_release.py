"""HOI4D as its authors publish it, in small."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.media import moving_square_frames, write_video
from tests.motion.datasets.tiny_scenes import names, write_image

TAKES = ("ZY1/H1/C1/N19/S100/s02/T1", "ZY1/H1/C2/N1/S1/s1/T2")


def write_take(root: Path, take: str, count: int = 9, masks: int | None = None) -> None:
    """One video with lossless frames, and a coloured mask for each of its frames."""
    home = root / "HOI4D_release" / take / "align_rgb"
    home.mkdir(parents=True)
    write_video(home / "image.mp4", moving_square_frames(count, 16, 24, side=4), codec="ffv1")
    annotations = root / "HOI4D_annotations" / take / "2Dseg/shift_mask"
    annotations.mkdir(parents=True)
    for frame, name in enumerate(names(count if masks is None else masks)):
        mask = np.zeros((16, 24, 3), np.uint8)
        mask[: frame + 1, :, 2] = 128
        write_image(annotations / f"{name}.png", mask)


def write_release(root: Path) -> None:
    """Two takes."""
    for take in TAKES:
        write_take(root, take)
