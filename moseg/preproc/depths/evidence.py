"""Evidence, pixel by pixel, that something moves on its own: three tests against the camera.

For each frame and each neighbour in time (past, future) a pixel must fail both of the first two
tests before it counts as moving; the third weakens what they say:

1. *Residual.* Its flow differs from the camera's by more than the background's own spread
   and by more than a floor in pixels. What a static point nearer than the background could
   show, a little more of the camera's own flow, is forgiven (plane plus parallax: Irani and
   Anandan, "A unified approach to moving object detection in 2D and 3D scenes", PAMI 1998).
2. *Appearance.* It does not find itself where the camera would put it in the neighbour. Flow
   is smooth and leaks from an object over plain ground, shadows and sky; the frames do not.
3. *Fluid.* It does not find itself where its own flow puts it either: spray, smoke and waves
   change while they move, things do not.

The smaller answer of past and future stands: ground that an object hides in one neighbour is
open in the other. Pairs of neighbouring frames are blind to motion of less than a pixel; the
same tests over a longer gap (``slow.py``) see it.
"""

from __future__ import annotations

from collections.abc import Sequence
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
# Static points may exceed the camera's flow by this share of it: parallax of nearer things.
PARALLAX_SHARE = 0.25
# Mismatch under the camera, in 8-bit Lab levels summed over the channels, that is even.
MISMATCH_EVEN = 3.0
MISMATCH_CAP = 60
# Share of the mismatch under the camera that a thing's own flow may leave unexplained.
UNEXPLAINED_SHARE = 0.1
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


def normalised_residual(
    flow: FloatArray, static: FloatArray, share: float = BACKGROUND_SHARE
) -> FloatArray:
    """Residual magnitude beyond parallax, in units of the background's spread, float32 [h, w].

    Args:
        flow: observed flow, float32 [h, w, 2].
        static: the camera's flow, float32 [h, w, 2].
        share: share of the frame that is background for certain.
    """
    residual = flow - static
    square = dot(residual, residual)
    step = max(1, min(square.shape) // 60)
    typical = float(np.sqrt(np.quantile(square[::step, ::step], share)))
    spread = max(SPREAD_FLOOR, SPREAD_FACTOR * typical)
    length = np.sqrt(dot(static, static))
    along = dot(residual, static) / (length + 1e-3)
    forgiven = np.clip(along, 0, PARALLAX_SHARE * length)
    beyond = np.maximum(square - forgiven * (2 * along - forgiven), 0)
    return np.asarray(np.sqrt(beyond) / spread, dtype=np.float32)


def dot(first: FloatArray, second: FloatArray) -> FloatArray:
    """Scalar product of two vector fields [h, w, 2], pixel by pixel, [h, w]."""
    return first[..., 0] * second[..., 0] + first[..., 1] * second[..., 1]


def mismatch(frame: Envelope, neighbour: Envelope, flow: FloatArray) -> FloatArray:
    """How badly each pixel fits the neighbour where ``flow`` puts it, float32 [h, w].

    Distance of its colour to the neighbour's envelope, averaged over a window; zero where the
    frames agree. Pixels that leave the image meet the border's colour.
    """
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :] + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    where, fraction = cv2.convertMaps(x, y, cv2.CV_16SC2)
    low, high = (
        cv2.remap(bound, where, fraction, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for bound in (neighbour.low, neighbour.high)
    )
    outside = cv2.max(cv2.subtract(low, frame.lab), cv2.subtract(frame.lab, high))
    distance = cv2.transform(outside, np.ones((1, 3), dtype=np.float32))
    capped = np.minimum(distance, MISMATCH_CAP).astype(np.float32)
    return np.asarray(cv2.blur(capped, (WINDOW, WINDOW)), dtype=np.float32)


def pair_evidence(
    flow: FloatArray,
    camera: Camera,
    frame: Envelope,
    neighbour: Envelope,
    share: float = BACKGROUND_SHARE,
) -> FloatArray:
    """Log-odds that a pixel moves on its own, from one neighbour, float32 [h, w].

    Infinite where the camera carries the pixel out of the neighbour: nothing can be said.

    Args:
        flow: observed flow from the frame to the neighbour, float32 [h, w, 2].
        camera: the camera's motion between them.
        frame: envelope of the frame.
        neighbour: envelope of the neighbour.
        share: share of the frame that is background for certain.
    """
    static = camera_flow(camera, *flow.shape[:2])
    residual = normalised_residual(flow, static, share) / RESIDUAL_EVEN
    by_camera = mismatch(frame, neighbour, static)
    by_flow = mismatch(frame, neighbour, flow)
    smaller = np.minimum(residual + 0.025, by_camera / MISMATCH_EVEN + 0.1)
    log_odds = SLOPE * np.log(smaller)
    fluid = np.log1p(by_flow / (by_camera + 1) / UNEXPLAINED_SHARE)
    log_odds -= fluid * np.clip(log_odds + 1, 0, 1)
    return np.where(beyond_image(static), np.inf, log_odds).astype(np.float32)


def beyond_image(flow: FloatArray) -> BoolArray:
    """Pixels that a flow, float32 [h, w, 2], carries out of the image, bool [h, w]."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :] + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    outside = (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
    return np.asarray(outside, dtype=np.bool_)


def motion_evidence(
    pairs: Sequence[FloatArray], height: int, width: int, slow: Sequence[FloatArray] = ()
) -> FloatArray:
    """Evidence of a frame from its neighbours: the least of them, clipped to +-LIMIT.

    Args:
        pairs: ``pair_evidence`` maps of the past and future pairs whose camera is known
            (confidence above zero); none says that nothing is known.
        slow: ``slow_evidence`` maps of the past and future; the least of them counts where
            it is larger.

    Returns:
        Log-odds, float32 [h, w], safe as float16.
    """
    fast = _least(pairs, (height, width), UNKNOWN)
    return np.maximum(fast, _least(slow, (height, width), -LIMIT)) if slow else fast


def _least(maps: Sequence[FloatArray], size: tuple[int, int], unknown: float) -> FloatArray:
    """The least of the maps within +-LIMIT, ``unknown`` where all are infinite, [h, w]."""
    least = np.full(size, np.inf, dtype=np.float32)
    for evidence in maps:
        least = np.minimum(least, evidence)
    least = np.where(np.isfinite(least), least, unknown)
    return np.asarray(np.clip(least, -LIMIT, LIMIT), dtype=np.float32)
