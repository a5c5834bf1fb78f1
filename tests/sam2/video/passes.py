"""Prompts for small networks, and what their passes gave."""

from __future__ import annotations

import numpy as np
import torch

from tests.sam2.video.small import SIZE, moving_frames

COUNT = 20
FRAMES = moving_frames(COUNT)
POINT = np.array([[12.0, 20.0]], np.float32)
POINTS = np.array([[12.0, 20.0], [14.0, 22.0], [40.0, 5.0]], np.float32)
SQUARE = np.zeros(SIZE, np.bool_)
SQUARE[10:25, 12:40] = True


def logits(item, frame):
    """The network's own mask of a frame that is still held."""
    return {**item.session.tracked, **item.session.conditioning}[frame]["pred_masks"]


def follow(item, frames):
    """Return (mask logits, score) of every frame, noted as the pass goes on."""
    return {p.frame: (logits(item, p.frame).clone(), p.score) for p in item.propagate(frames)}


def same(first, second):
    return first.keys() == second.keys() and all(
        torch.equal(first[t][0], second[t][0]) and first[t][1] == second[t][1] for t in first
    )
