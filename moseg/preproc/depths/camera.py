"""The camera's own motion between two frames: one robust homography, and what it leaves.

A homography explains a camera that turns or zooms, and a camera that moves before a plane or
a distant scene. It is fitted to a grid of flow vectors with MAGSAC (Barath, Matas and
Noskova, CVPR 2019) as OpenCV ships it, with a fixed seed. A pair without a usable fit counts
as a camera at rest, with confidence zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
DoubleArray = NDArray[np.float64]

# Flow vectors that enter the fit, at most about this many.
GRID_POINTS = 1600
# A flow vector agrees with the camera within this many pixels.
INLIER_ERROR = 1.0
# Below this share of inliers the fit is not believed at all; above the second one, fully.
DOUBTFUL_SHARE, TRUSTED_SHARE = 0.15, 0.35
# No camera moves an image corner farther than this, in image diagonals.
LARGEST_MOVE = 1.0
SEED = 0


@dataclass(frozen=True)
class Camera:
    """Camera motion from one frame to another.

    Attributes:
        homography: float64 [3, 3], takes pixels of the first frame to the second; the
            identity where nothing could be fitted.
        confidence: 0..1; zero where nothing could be fitted.
    """

    homography: DoubleArray
    confidence: float


def identity_camera() -> Camera:
    """A camera at rest, with no confidence."""
    return Camera(np.eye(3), 0.0)


def fit_camera(flow: FloatArray) -> Camera:
    """Fit the camera to the flow of one pair, float32 [h, w, 2]."""
    height, width = flow.shape[:2]
    step = max(1, int(np.sqrt(height * width / GRID_POINTS)))
    x, y = np.meshgrid(np.arange(step // 2, width, step), np.arange(step // 2, height, step))
    vectors = flow[y.ravel(), x.ravel()]
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    if len(points) < 8 or min(height, width) < 4 or not np.isfinite(vectors).all():
        return identity_camera()
    parameters = cv2.UsacParams()
    parameters.threshold = INLIER_ERROR
    parameters.confidence = 0.999
    parameters.maxIterations = 2000
    parameters.randomGeneratorState = SEED
    parameters.score = cv2.SCORE_METHOD_MAGSAC
    parameters.loMethod = cv2.LOCAL_OPTIM_SIGMA
    parameters.loIterations = 10
    parameters.loSampleSize = 14
    parameters.sampler = cv2.SAMPLING_UNIFORM
    parameters.isParallel = False
    try:
        found, inliers = cv2.findHomography(points, points + vectors, parameters)
    except cv2.error:
        return identity_camera()
    if found is None:
        return identity_camera()
    homography: DoubleArray = np.array(found, dtype=np.float64)
    if not plausible(homography, height, width):
        return identity_camera()
    share = float(np.mean(inliers != 0))
    trust = (share - DOUBTFUL_SHARE) / (TRUSTED_SHARE - DOUBTFUL_SHARE)
    if trust <= 0:
        return identity_camera()
    return Camera(homography, min(1.0, trust))


def plausible(homography: DoubleArray, height: int, width: int) -> bool:
    """Whether the image stays in front of the camera, unmirrored, within reach and not folded."""
    if not np.isfinite(homography).all():
        return False
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    mapped = np.concatenate([corners, np.ones((4, 1))], axis=1) @ homography.T
    if (mapped[:, 2] * np.sign(homography[2, 2]) < 0.1 * abs(homography[2, 2])).any():
        return False
    landed = mapped[:, :2] / mapped[:, 2:]
    if np.abs(landed - corners).max() > LARGEST_MOVE * np.hypot(height, width):
        return False
    side = np.roll(landed, -1, axis=0) - landed
    following = np.roll(side, -1, axis=0)
    turn = side[:, 0] * following[:, 1] - side[:, 1] * following[:, 0]
    return bool((turn > 0.01 * height * width).all())


def camera_flow(camera: Camera, height: int, width: int) -> FloatArray:
    """Flow that a static plane shows under the camera's motion, float32 [h, w, 2]."""
    x, y = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)
    columns = camera.homography[:, :1] * x
    rows = camera.homography[:, 1:2] * y + camera.homography[:, 2:]
    moved = (columns[:, None, :] + rows[:, :, None]).astype(np.float32)
    depth = np.where(np.abs(moved[2]) < 1e-6, np.float32(1e-6), moved[2])
    flow_x = moved[0] / depth - x.astype(np.float32)
    flow_y = moved[1] / depth - y.astype(np.float32)[:, None]
    return np.stack([flow_x, flow_y], axis=-1).astype(np.float32)
