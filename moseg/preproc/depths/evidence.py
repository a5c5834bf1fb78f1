"""Evidence, pixel by pixel, that something moves on its own: two tests against the camera.

For each frame and each neighbour in time (past, future) a pixel must fail two tests before it
counts as moving:

1. *Residual.* Its flow differs from the camera's by more than the background's own spread
   and by more than a floor in pixels.
2. *Appearance.* It does not find itself where the camera would put it in the neighbour. Flow
   is smooth and leaks from an object over plain ground, shadows and sky; the frames do not.

The smaller answer of past and future stands: ground that an object hides in one neighbour is
open in the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.preproc.depths.camera import Camera, camera_flow

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

# Residual, in spreads of the background, at which moving and resting are equally likely.
RESIDUAL_EVEN = 4.0
# The background's spread is never taken below this many pixels: flow is no better.
SPREAD_FLOOR = 0.25
# At least this share of every frame is background; its largest residual sets the spread.
BACKGROUND_SHARE = 0.1
SPREAD_FACTOR = 1.2
# Mismatch under the camera, in 8-bit Lab levels summed over the channels, that is even.
MISMATCH_EVEN = 3.0
MISMATCH_CAP = 60
# Side of the window over which mismatches are averaged, pixels.
WINDOW = 7
# Slope of both tests: log-odds per unit of the natural logarithm.
SLOPE = 2.0
LIMIT = 4.0
# Where neither neighbour shows a pixel: things rest more often than not.
UNKNOWN = -2.0


@dataclass(frozen=True)
class Envelope:
    """A frame in Lab with the smallest and largest value around each pixel, uint8 [h, w, 3].

    Comparing with an envelope forgives misalignment of up to a pixel.
    """

    lab: ByteArray
    low: ByteArray
    high: ByteArray


def envelope(frame: ByteArray) -> Envelope:
    """Envelope of an RGB frame, uint8 [h, w, 3], over 3x3 pixels."""
    lab = np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2LAB), dtype=np.uint8)
    kernel = np.ones((3, 3), dtype=np.uint8)
    low, high = cv2.erode(lab, kernel), cv2.dilate(lab, kernel)
    return Envelope(lab, np.asarray(low, dtype=np.uint8), np.asarray(high, dtype=np.uint8))


def normalised_residual(flow: FloatArray, static: FloatArray) -> FloatArray:
    """Residual magnitude in units of the background's spread, float32 [h, w].

    Args:
        flow: observed flow, float32 [h, w, 2].
        static: the camera's flow, float32 [h, w, 2].
    """
    residual = flow - static
    magnitude = cv2.magnitude(residual[..., 0], residual[..., 1])
    step = max(1, min(magnitude.shape) // 60)
    typical = float(np.quantile(magnitude[::step, ::step], BACKGROUND_SHARE))
    spread = max(SPREAD_FLOOR, SPREAD_FACTOR * typical)
    return np.asarray(magnitude / spread, dtype=np.float32)


def camera_mismatch(frame: Envelope, neighbour: Envelope, static: FloatArray) -> FloatArray:
    """How badly each pixel fits the neighbour where the camera puts it, float32 [h, w].

    Distance of its colour to the neighbour's envelope, averaged over a window; zero where the
    frames agree. Pixels that the camera moves out of the image meet the border's colour.
    """
    height, width = static.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    where, fraction = cv2.convertMaps(x + static[..., 0], y + static[..., 1], cv2.CV_16SC2)
    low, high = (
        cv2.remap(bound, where, fraction, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for bound in (neighbour.low, neighbour.high)
    )
    outside = cv2.max(cv2.subtract(low, frame.lab), cv2.subtract(frame.lab, high))
    distance = np.minimum(outside.sum(axis=2, dtype=np.uint16), MISMATCH_CAP)
    return np.asarray(cv2.blur(distance.astype(np.float32), (WINDOW, WINDOW)), dtype=np.float32)


def pair_evidence(
    flow: FloatArray, camera: Camera, frame: Envelope, neighbour: Envelope
) -> FloatArray:
    """Log-odds that a pixel moves on its own, from one neighbour, float32 [h, w].

    Infinite where the camera carries the pixel out of the neighbour: nothing can be said.
    """
    static = camera_flow(camera, *flow.shape[:2])
    residual = normalised_residual(flow, static) / RESIDUAL_EVEN
    mismatch = camera_mismatch(frame, neighbour, static) / MISMATCH_EVEN
    smaller = np.minimum(residual + 0.025, mismatch + 0.1)
    log_odds = SLOPE * np.log(smaller)
    return np.where(beyond_image(static), np.inf, log_odds).astype(np.float32)


def beyond_image(flow: FloatArray) -> BoolArray:
    """Pixels that a flow, float32 [h, w, 2], carries out of the image, bool [h, w]."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :] + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    outside = (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
    return np.asarray(outside, dtype=np.bool_)


def motion_evidence(pairs: list[FloatArray], height: int, width: int) -> FloatArray:
    """Evidence of a frame from its neighbours: the least of them, clipped to +-LIMIT.

    Args:
        pairs: ``pair_evidence`` maps of the past and future pairs whose camera is known
            (confidence above zero); an empty list says that nothing is known.

    Returns:
        Log-odds, float32 [h, w], safe as float16.
    """
    if not pairs:
        return np.full((height, width), UNKNOWN, dtype=np.float32)
    least = np.minimum.reduce(pairs)
    least = np.where(np.isfinite(least), least, UNKNOWN)
    return np.asarray(np.clip(least, -LIMIT, LIMIT), dtype=np.float32)
