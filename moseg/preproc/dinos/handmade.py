"""Hand-made appearance features of one frame: what a cell looks like, in 16 numbers.

They stand where learnt features (DINO) stand in the full pipeline: per cell, colour at three
scales, the energy of gradients by direction and scale, and local deviation. Each number is
scaled so that a difference of about one is plain to the eye.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]

DEFAULT_CELL = 4
CHANNELS = 16

# Standard deviations of the Gaussian windows, in pixels: a cell, its surroundings, a region.
SCALES = (2.0, 5.0, 12.0)
# One unit of difference: OpenCV's 8-bit Lab levels, for lightness and for a and b.
LIGHTNESS_UNIT = 24.0
CHROMA_UNIT = 8.0
# Grey levels at which gradient energy and deviation count as one unit on the log scale.
TEXTURE_FLOOR = 3.0


def feature_map(frame: ByteArray, cell: int = DEFAULT_CELL) -> NDArray[np.float16]:
    """Appearance features per cell.

    Channels: 0..8 Lab at the three scales; 9..12 horizontal and vertical gradient energy at
    the first two scales; 13, 14 deviation of lightness at the first two; 15 deviation of chroma.

    Args:
        frame: RGB uint8 [h, w, 3].
        cell: side of a cell in pixels; cell (r, c) covers the pixels from (r * cell, c * cell).

    Returns:
        float16 [hc, wc, 16] with hc = ceil(h / cell), wc = ceil(w / cell).
    """
    lab = np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2LAB), dtype=np.float32)
    unit = np.array([LIGHTNESS_UNIT, CHROMA_UNIT, CHROMA_UNIT], dtype=np.float32)
    means = [_smooth(lab, scale) for scale in SCALES]
    channels = [mean / unit for mean in means]
    lightness = np.ascontiguousarray(lab[..., 0])
    gradients = np.stack(
        [cv2.Sobel(lightness, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(lightness, cv2.CV_32F, 0, 1) / 8],
        axis=-1,
    )
    energy = np.square(gradients).astype(np.float32)
    channels += [_log_deviation(_smooth(energy, scale)) for scale in SCALES[:2]]
    square = [_smooth(lab * lab, scale) for scale in SCALES[:2]]
    variance = [s - m * m for s, m in zip(square, means[:2], strict=True)]
    channels += [_log_deviation(v[..., :1]) for v in variance]
    channels.append(_log_deviation(variance[1][..., 1:].sum(-1, keepdims=True)))
    return _cells(np.concatenate(channels, axis=-1), cell).astype(np.float16)


def _smooth(image: FloatArray, scale: float) -> FloatArray:
    """Gaussian mean; wide windows are taken at a quarter of the size, where they look the same."""
    height, width = image.shape[:2]
    if scale < 8 or min(height, width) < 32:
        return np.asarray(
            cv2.GaussianBlur(image, (0, 0), scale, borderType=cv2.BORDER_REFLECT), dtype=np.float32
        )
    small = cv2.resize(image, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), scale / 4, borderType=cv2.BORDER_REFLECT)
    return np.asarray(
        cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )


def _log_deviation(variance: FloatArray) -> FloatArray:
    """Log-compressed square root of a variance in grey levels squared."""
    deviation = np.sqrt(np.maximum(variance, 0))
    return np.asarray(np.log1p(deviation / TEXTURE_FLOOR), dtype=np.float32)


def _cells(channels: FloatArray, cell: int) -> FloatArray:
    """Mean of every cell; cells at the right and lower border may be cut."""
    height, width = channels.shape[:2]
    below, right = -height % cell, -width % cell
    padded = np.pad(channels, ((0, below), (0, right), (0, 0)), mode="edge")
    rows, columns = padded.shape[0] // cell, padded.shape[1] // cell
    means = padded.reshape(rows, cell, columns, cell, -1).mean(axis=(1, 3))
    return np.asarray(means, dtype=np.float32)
