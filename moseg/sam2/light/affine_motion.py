"""Does a region move as one? Affine motion models of the flow inside a region.

One affine motion explains a rigid or slowly deforming thing, also one that turns, nears or
leaves; two things that touch need two (Wang and Adelson, "Representing moving images with
layers", TIP 1994).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
FlowArray = NDArray[np.float16] | NDArray[np.float32]
Mask = NDArray[np.bool_]

SAMPLES = 400
ROUNDS = 5
# Two layers are believed when one affine motion misses the flow by this many pixels, more
# than this share of the motion, and two leave at most this share of the squared misfit.
MISFIT_PIXELS = 0.5
MISFIT_SHARE = 0.15
LEFT_SHARE = 0.25
# Each layer holds at least this share of the region, and is nearly one piece.
LAYER_SHARE = 0.2
PIECE_SHARE = 0.8
# Ridge of the affine fit: constant, then slopes per pixel.
DAMPING = np.array([1e-6, 1e-2, 1e-2], np.float32)


def sample_region(region: Mask, flow: FlowArray) -> tuple[FloatArray, FloatArray]:
    """Evenly strided pixels (1, x, y) float32 [n, 3] and their flow [n, 2] of a region."""
    row, column = np.nonzero(region)
    chosen = slice(None, None, max(1, len(row) // SAMPLES))
    row, column = row[chosen], column[chosen]
    place = np.stack([np.ones(len(row)), column, row], axis=1).astype(np.float32)
    return place, flow[row, column].astype(np.float32)


def fit_affine(place: FloatArray, motion: FloatArray) -> FloatArray:
    """Least-squares affine motion, float32 [3, 2]; a mean motion where points are too few."""
    if len(place) < 8:
        model = np.zeros((3, 2), np.float32)
        model[0] = motion.mean(axis=0) if len(motion) else 0
        return model
    weight = np.ones(len(place), np.float32)
    model = np.zeros((3, 2), np.float32)
    for _ in range(3):
        held = place * weight[:, None]
        normal = held.T @ place + np.diag(DAMPING)
        model = np.linalg.solve(normal, held.T @ motion).astype(np.float32)
        miss = np.linalg.norm(motion - place @ model, axis=1)
        weight = 1 / (1 + (miss / (np.median(miss) + np.float32(0.1))) ** 2)
    return model


def motions_agree(region: Mask, other: Mask, flow: FlowArray) -> bool:
    """Whether the flow of one region continues into the other as one affine motion."""
    place, motion = sample_region(region, flow)
    place_other, motion_other = sample_region(other, flow)
    if len(place) < 3 or len(place_other) < 3:
        return True
    gap = np.median(motion, axis=0) - np.median(motion_other, axis=0)
    if np.linalg.norm(gap) <= _tolerance(motion):
        return True
    joint_place = np.concatenate([place, place_other])
    joint = np.concatenate([motion, motion_other])
    balance = np.concatenate([np.full(len(p), 1 / len(p)) for p in (place, place_other)])
    held = joint_place * balance[:, None].astype(np.float32)
    normal = held.T @ joint_place + np.diag(DAMPING)
    model = np.linalg.solve(normal, held.T @ joint)
    miss = np.linalg.norm(joint - joint_place @ model, axis=1)
    return bool(np.sqrt((balance * miss**2).sum() / 2) <= _tolerance(joint))


def split_by_motion(region: Mask, flow: FlowArray) -> Mask | None:
    """The smaller of two differently moving parts of a connected region, or None.

    Args:
        region: bool [h, w].
        flow: float [h, w, 2] towards a neighbouring frame.
    """
    place, motion = sample_region(region, flow)
    if len(place) < 16:
        return None
    single = fit_affine(place, motion)
    misfit = np.square(motion - place @ single).sum(axis=1)
    if np.sqrt(misfit.mean()) < _tolerance(motion):
        return None
    layer = _two_layers(place, motion)
    if layer is None:
        return None
    models, left = layer
    if left > LEFT_SHARE * float(misfit.mean()):
        return None
    return _smaller_layer(region, flow, models)


def _tolerance(motion: FloatArray) -> float:
    """Misfit in pixels that still counts as one motion."""
    size = float(np.median(np.linalg.norm(motion, axis=1)))
    return max(MISFIT_PIXELS, MISFIT_SHARE * size)


def _two_layers(
    place: FloatArray, motion: FloatArray
) -> tuple[tuple[FloatArray, FloatArray], float] | None:
    """Two affine motions by alternation, and the mean squared misfit they leave."""
    centred = motion - np.median(motion, axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    along = centred @ axis
    second = along > (along.min() + along.max()) / 2
    models = (fit_affine(place, motion), fit_affine(place, motion))
    for _ in range(ROUNDS):
        if min(int(second.sum()), int((~second).sum())) < LAYER_SHARE * len(place):
            return None
        models = (
            fit_affine(place[~second], motion[~second]),
            fit_affine(place[second], motion[second]),
        )
        misses = [np.square(motion - place @ m).sum(axis=1) for m in models]
        second = misses[1] < misses[0]
    return models, float(np.minimum(misses[0], misses[1]).mean())


def _smaller_layer(
    region: Mask, flow: FlowArray, models: tuple[FloatArray, FloatArray]
) -> Mask | None:
    """Pixels of the smaller layer, when both layers are large and compact."""
    row, column = np.nonzero(region)
    place = np.stack([np.ones(len(row)), column, row], axis=1).astype(np.float32)
    motion = flow[row, column].astype(np.float32)
    misses = [np.square(motion - place @ m).sum(axis=1) for m in models]
    layers = []
    for chosen in (misses[1] < misses[0], misses[1] >= misses[0]):
        layer = np.zeros(region.shape, np.uint8)
        layer[row[chosen], column[chosen]] = 1
        layer = np.asarray(cv2.medianBlur(layer, 5), np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(layer, connectivity=4)
        area = int(stats[1:, cv2.CC_STAT_AREA].sum()) if len(stats) > 1 else 0
        if area < LAYER_SHARE * len(row):
            return None
        if stats[1:, cv2.CC_STAT_AREA].max() < PIECE_SHARE * area:
            return None
        layers.append((area, layer.astype(bool)))
    smaller = min(layers, key=lambda item: item[0])[1]
    return np.asarray(smaller & region)
