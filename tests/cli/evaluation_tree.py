"""A tiny data set that every protocol of `moseg eval` takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moseg.core.frame_record import FrameRecord
from moseg.core.selection import Selection
from tests.evaluation.folders import numbered, write_labels
from tests.evaluation.protocols.test_tracks import index, write_tracks

SIZE = (24, 32)
FUNCTIONS = {
    "davis16": "davis16.evaluate_davis16",
    "davis16-moving": "davis16.evaluate_davis16_moving",
    "davis17-unsupervised": "davis17.evaluate_davis17_unsupervised",
    "davis17-moving": "davis17.evaluate_davis17_moving",
    "fbms": "fbms.evaluate_fbms",
    "segtrackv2": "segtrack.evaluate_segtrackv2",
    "ytvos18-m": "ytvos.evaluate_ytvos18_moving",
    "vsod": "vsod.evaluate_vsod",
    "tracks": "tracks.evaluate_tracks",
}
PROTOCOLS = sorted(FUNCTIONS)


def block(left: int, label: int = 1) -> np.ndarray:
    labels = np.zeros(SIZE, np.uint8)
    labels[6:15, left : left + 9] = label
    return labels


def write_tree(root: Path) -> Path:
    """`gt`, `pred` and `images` of `dog` in 6 frames, everywhere J = 1/2; and tracks in `pred`."""
    write_labels(root / "gt/dog", numbered(block(4 + i) for i in range(6)))
    write_labels(root / "pred/dog", numbered(block(7 + i, 2) for i in range(6)))
    write_labels(root / "images/dog", numbered(block(0) for _ in range(6)))
    points = np.array([[6, 8], [12, 8], [12, 14], [2, 2], [2, 20], [25, 15]], np.float32)
    record = FrameRecord(index(6, *SIZE), Selection())
    chances = {1: [0.9, 0.8, 0.9, 0.8, 0.9, 0.1]}
    write_tracks(root / "pred/cache/dog", chances, points, record=record)
    return root


def call(protocol: str, tree: Path, *options: object) -> tuple[object, ...]:
    return ("eval", protocol, "--pred", tree / "pred", "--gt", tree / "gt", *options)
