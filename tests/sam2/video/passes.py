"""Prompts for small networks, and what their passes gave."""

from __future__ import annotations

import numpy as np
import torch
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

from moseg.sam2.video.pixels import sam2_pixels
from tests.sam2.video.small import SIDE, SIZE, moving_frames

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


def library(network, points, frame, count, session_class=Sam2VideoInferenceSession):
    """Masks of one point by the library's own calls, on a session that keeps everything."""
    pixels = sam2_pixels(torch.from_numpy(np.stack(FRAMES[:count])), SIDE, torch.device("cpu"))
    session = session_class(pixels, *SIZE, dtype=torch.float32)
    session.obj_id_to_idx(1)
    height, width = SIZE
    coords = torch.from_numpy(points / (width, height) * SIDE).float()[None, None]
    prompt = {"point_coords": coords, "point_labels": torch.ones(1, 1, len(points)).int()}
    session.add_point_inputs(0, frame, prompt)
    session.obj_with_new_inputs = [1]
    network(session, frame_idx=frame)
    found = {}
    for backwards in (False, True):
        for out in network.propagate_in_video_iterator(session, frame, reverse=backwards):
            found[out.frame_idx] = out.pred_masks
    return found
