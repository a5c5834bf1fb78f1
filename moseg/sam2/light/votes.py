"""Votes: labelled points drawn into the frame, carried along the flow, spread along edges.

A vote image is float32 [h, w, 2]: the weighted sum of log-odds and the sum of weights. Both
travel and spread alike; their quotient is the evidence at a pixel (normalised convolution,
Knutsson and Westin, CVPR 1993).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
FlowArray = NDArray[np.float16] | NDArray[np.float32]
ByteArray = NDArray[np.uint8]

TINY = np.float32(1e-7)
# Every pixel doubts a little: a vote of its own for "still", which counts where the points'
# votes are far away. Its weight as a share of the frame's mean votes, and its log-odds.
DOUBT_SHARE = 0.05
DOUBT_LOG_ODDS = -1.0


def draw_votes(
    xy: FloatArray, log_odds: FloatArray, weight: FloatArray, size: tuple[int, int]
) -> FloatArray:
    """Votes of the points on their nearest pixels, slightly blurred, float32 [h, w, 2].

    Args:
        xy: points in pixels, centres at integers, float32 [n, 2]; those outside are left out.
        log_odds: float32 [n], positive for moving.
        weight: float32 [n], 0 for no vote.
        size: height and width of the frame.
    """
    height, width = size
    column = np.rint(xy[:, 0]).astype(np.int64)
    row = np.rint(xy[:, 1]).astype(np.int64)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    cell = row[inside] * width + column[inside]
    mass = weight[inside]
    votes = np.empty((height, width, 2), np.float32)
    drawn = np.bincount(cell, mass * log_odds[inside], minlength=height * width)
    votes[..., 0] = drawn.reshape(height, width)
    votes[..., 1] = np.bincount(cell, mass, minlength=height * width).reshape(height, width)
    return np.asarray(cv2.GaussianBlur(votes, (0, 0), 1.0), np.float32).reshape(votes.shape)


def warp(values: FloatArray, flow: FlowArray) -> FloatArray:
    """``values`` looked up where the flow points, zero outside; [h, w] or [h, w, c]."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32) + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    looked_up = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(looked_up, np.float32).reshape(values.shape)


def flow_trust(flow: FlowArray, reverse: FlowArray) -> FloatArray:
    """How far a pixel's flow is confirmed by the flow back, float32 [h, w] in 0..1.

    The squared forward-backward error over its tolerance (Sundaram et al., ECCV 2010:
    0.01 of the squared displacements plus half a pixel squared), through exp(-x).
    """
    there = flow.astype(np.float32)
    back = warp(reverse.astype(np.float32), flow)
    gap = there + back
    error = np.einsum("ijk,ijk->ij", gap, gap)
    square = np.einsum("ijk,ijk->ij", there, there) + np.einsum("ijk,ijk->ij", back, back)
    return np.asarray(cv2.exp(-error / (0.01 * square + 0.5)), np.float32).reshape(error.shape)


def carry_votes(votes: FloatArray, flow: FlowArray, reverse: FlowArray, decay: float) -> FloatArray:
    """Votes of a neighbouring frame, seen from this one, float32 [h, w, 2].

    Args:
        votes: vote image of the neighbour.
        flow: from this frame to the neighbour.
        reverse: from the neighbour to this frame.
        decay: share of the votes that survives one step.
    """
    trust = flow_trust(flow, reverse) * np.float32(decay)
    return np.asarray(warp(votes, flow) * trust[..., None], np.float32)


def spread_votes(
    votes: FloatArray, guide: ByteArray, reach: float, contrast: float = 0.3, rounds: int = 3
) -> FloatArray:
    """Evidence at every pixel from votes spread within colour edges, float32 [h, w] log-odds.

    Recursive filtering under the domain transform: Gastal and Oliveira, "Domain transform for
    edge-aware image and video processing" (SIGGRAPH 2011).

    Args:
        votes: vote image, float32 [h, w, 2].
        guide: RGB frame, uint8 [h, w, 3].
        reach: standard deviation of the spread in flat regions, in pixels.
        contrast: colour difference (0..1, summed over channels) that costs as much as ``reach``.
        rounds: horizontal and vertical passes.
    """
    colour = np.asarray(guide, np.float32) * np.float32(1 / 255)
    across = 1 + reach / contrast * np.abs(np.diff(colour, axis=1)).sum(axis=2)
    down = 1 + reach / contrast * np.abs(np.diff(colour, axis=0)).sum(axis=2)
    across = np.ascontiguousarray(across.T)
    doubt = DOUBT_SHARE * votes[..., 1].mean(dtype=np.float64)
    own = np.array([doubt * DOUBT_LOG_ODDS, doubt], np.float32)
    lines = np.ascontiguousarray((votes + own).transpose(1, 2, 0))
    for index in range(rounds):
        sigma = reach * np.sqrt(3) * 2.0 ** (rounds - index - 1) / np.sqrt(4.0**rounds - 1)
        rate = np.float32(-np.sqrt(2) / sigma)
        _recurse(lines, np.exp(rate * across))
        lines = np.ascontiguousarray(lines.transpose(2, 1, 0))
        _recurse(lines, np.exp(rate * down))
        lines = np.ascontiguousarray(lines.transpose(2, 1, 0))
    total, mass = lines[:, 0].T, lines[:, 1].T
    return np.ascontiguousarray(total / (mass + TINY))


def _recurse(lines: FloatArray, feedback: FloatArray) -> None:
    """First-order recursive filter along axis 0, forth and back, in place.

    Args:
        lines: float32 [n, 2, m].
        feedback: share passed on between neighbours, float32 [n - 1, m].
    """
    for index in range(1, len(lines)):
        lines[index] += feedback[index - 1] * (lines[index - 1] - lines[index])
    for index in range(len(lines) - 2, -1, -1):
        lines[index] += feedback[index] * (lines[index + 1] - lines[index])
