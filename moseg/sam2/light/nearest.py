"""Filling labels outwards: by distance, or by distance and motion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.sam2.light.affine_motion import fit_affine, sample_region

FlowArray = NDArray[np.float16] | NDArray[np.float32]
IdArray = NDArray[np.uint16]

# Distance in pixels that weighs as much as a misfit of one pixel of flow.
PIXELS_PER_MISFIT = 10.0


def nearest_motion(seeds: IdArray, names: list[int], flow: FlowArray | None) -> IdArray:
    """Every unlabelled pixel takes the label that is near and moves as it does.

    Args:
        seeds: uint16 [h, w], 0 for none.
        names: the labels in it.
        flow: float [h, w, 2]; without it the nearest label is taken.
    """
    if flow is None:
        return nearest_label(seeds)
    height, width = seeds.shape
    grid = np.stack(np.broadcast_arrays(1.0, *np.meshgrid(range(width), range(height))), axis=2)
    costs = []
    for name in names:
        place, motion = sample_region(seeds == name, flow)
        model = fit_affine(place, motion)
        miss = np.linalg.norm(flow - grid.astype(np.float32) @ model, axis=2)
        far = cv2.distanceTransform((seeds != name).astype(np.uint8), cv2.DIST_L2, 5)
        costs.append(miss + far.reshape(height, width) / PIXELS_PER_MISFIT)
    best = np.asarray(names, np.uint16)[np.argmin(costs, axis=0)]
    return np.where(seeds > 0, seeds, best).astype(np.uint16)


def nearest_label(labels: IdArray, limit: float = float("inf")) -> IdArray:
    """Every pixel takes the label of the nearest labelled pixel within ``limit`` pixels.

    Args:
        labels: uint16 [h, w], 0 for none.
        limit: pixels farther than this stay 0.
    """
    if not labels.any():
        return labels.copy()
    distance, index = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(int(index.max()) + 1, np.uint16)
    known = labels > 0
    lookup[index[known]] = labels[known]
    filled = lookup[index]
    filled[distance > limit] = 0
    return filled
