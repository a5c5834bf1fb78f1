"""Evidence of slow motion: the tests of ``evidence.py`` over a gap of several frames.

What moves less than a pixel a frame hides in the noise of the flow between neighbours. Flow
chained over a few frames brings it out, at a price: waves, parallax and errors add up as well.
Hence three limits: only where every step of the chain passes the forward-backward check, only
against the spread of half of the frame (slow motion shows where the rest of the scene is
still), and only up to a few pixels a frame, beyond which the neighbours must have seen it.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.preproc.depths.camera import Camera, camera_flow
from moseg.preproc.depths.evidence import SLOPE, Envelope, beyond_image, dot, pair_evidence

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

# Frames between a frame and the one it is compared with.
GAP = 4
# Share of the frame that is taken as background.
STILL_SHARE = 0.5
# Residual over the whole gap, pixels, from which on slow evidence fades.
FASTEST = 8.0
# Sundaram et al. (ECCV 2010): a step is good while |f + b|^2 < RELATIVE (|f|^2 + |b|^2) + ABSOLUTE.
RELATIVE = 0.01
ABSOLUTE = 0.5


class FlowSource(Protocol):
    """Random access to the flow of frame pairs; float16 or float32 [h, w, 2], pixels."""

    def forward(self, pair: int) -> NDArray[np.floating]:
        """Flow from frame ``pair`` to frame ``pair + 1``."""

    def backward(self, pair: int) -> NDArray[np.floating]:
        """Flow from frame ``pair + 1`` to frame ``pair``."""


def chained_flow(flows: FlowSource, frame: int, gap: int) -> tuple[FloatArray, BoolArray]:
    """Flow over several frames.

    Args:
        flows: flow of all pairs; those between ``frame`` and ``frame + gap`` are read.
        frame: where the chain starts.
        gap: frames forwards, or backwards if negative; not zero.

    Returns:
        Flow from ``frame`` to ``frame + gap``, float32 [h, w, 2], and whether every step is
        good and ends inside the image, bool [h, w].
    """
    there, back = _step(flows, frame, gap > 0)
    total, good = there, _agree(there, _carried(back, there))
    for index in range(1, abs(gap)):
        there, back = _step(flows, frame + (index if gap > 0 else -index), gap > 0)
        step = _carried(there, total)
        total = total + step
        good &= _agree(step, _carried(back, total))
    return total, good & ~beyond_image(total)


def _step(flows: FlowSource, frame: int, ahead: bool) -> tuple[FloatArray, FloatArray]:
    """Flow from a frame to the next (``ahead``) or the last one, and from there back."""
    pair = frame if ahead else frame - 1
    forward, backward = flows.forward(pair), flows.backward(pair)
    there, back = (forward, backward) if ahead else (backward, forward)
    return there.astype(np.float32), back.astype(np.float32)


def _carried(field: FloatArray, flow: FloatArray) -> FloatArray:
    """``field`` read where ``flow`` ends, float32 [h, w, 2]."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :] + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    read = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, dtype=np.float32)


def _agree(there: FloatArray, back: FloatArray) -> BoolArray:
    """Forward-backward check, bool [h, w]."""
    gap = there + back
    length = dot(there, there) + dot(back, back)
    return np.asarray(dot(gap, gap) < RELATIVE * length + ABSOLUTE, dtype=np.bool_)


def slow_evidence(
    flow: FloatArray, good: BoolArray, camera: Camera, frame: Envelope, other: Envelope
) -> FloatArray:
    """Log-odds that a pixel moves slowly on its own, float32 [h, w]; infinite where unknown.

    Args:
        flow: chained flow, float32 [h, w, 2].
        good: where the chain can be trusted, bool [h, w].
        camera: the camera's motion over the gap, ``fit_camera(flow)``.
        frame: envelope of the frame.
        other: envelope of the frame at the end of the gap.
    """
    log_odds = pair_evidence(flow, camera, frame, other, STILL_SHARE)
    residual = flow - camera_flow(camera, *flow.shape[:2])
    speed = np.sqrt(dot(residual, residual))
    fading = 2 * SLOPE * np.maximum(speed / FASTEST - 1, 0)
    return np.where(good, log_odds - fading, np.inf).astype(np.float32)
