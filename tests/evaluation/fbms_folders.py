"""A small sequence of FBMS-59 on disk: two objects, annotated in three of 19 frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.evaluation.folders import write_labels
from tests.evaluation.test_fbms_definition import definition_text

SIZE = (24, 32)
ANNOTATED = (1, 10, 19)
LENGTH = 19
Labels = NDArray[np.uint8]
BLACK_GROUND = {0: (0, 0, 0), 1: (255, 0, 0), 2: (0, 200, 10)}
WHITE_GROUND = {0: (255, 255, 255), 1: (80, 80, 80), 2: (160, 160, 160)}
PERFECT = {
    **dict.fromkeys(("J-Mean", "F-Mean", "Precision", "Recall", "F-Measure", "Density"), 1),
    **{"Extracted": 2, "Visible": 2},
}
"""Figures of a perfect prediction."""


def scene(frame: int) -> Labels:
    """Two objects of 8x8 pixels, 1 and 2; the first moves."""
    labels = np.zeros(SIZE, np.uint8)
    labels[2:10, frame : frame + 8] = 1
    labels[14:22, 20:28] = 2
    return labels


def painted(labels: Labels, colours: Mapping[int, tuple[int, int, int]]) -> Image.Image:
    picture = np.zeros((*labels.shape, 3), np.uint8)
    for label, colour in colours.items():
        picture[labels == label] = colour
    return Image.fromarray(picture)


def write_truth(
    folder: Path,
    colours: Mapping[int, tuple[int, int, int]] = BLACK_GROUND,
    suffix: str = ".png",
    name: str = "cars1_{:02d}",
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for frame in ANNOTATED:
        image = painted(scene(frame), colours)
        if suffix == ".pgm":
            image = image.convert("L")
        image.save(folder / (name.format(frame) + suffix))


def write_definition(folder: Path, values: list[int], suffix: str) -> None:
    frames = [
        (number - 1, f"cars1_{number:02d}{suffix}", f"cars1_{number:02d}.jpg")
        for number in ANNOTATED
    ]
    (folder / "cars1Def.dat").write_text(definition_text(values, LENGTH, frames))


def write_pred(pred: Path, name: str = "cars1_{:02d}", first: int = 1) -> None:
    frames = {name.format(i - 1 + first): scene(i) for i in range(1, LENGTH + 1)}
    write_labels(pred / "cars1", frames)


def write_images(folder: Path, name: str = "cars1_{:02d}") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(1, LENGTH + 1):
        Image.new("RGB", SIZE[::-1]).save(folder / f"{name.format(frame)}.jpg")


def write_folders(root: Path) -> tuple[Path, Path]:
    """A perfect prediction of all 19 frames and the truth of three of them, as plain folders."""
    write_pred(root / "pred")
    write_truth(root / "gt" / "cars1")
    return root / "pred", root / "gt"
