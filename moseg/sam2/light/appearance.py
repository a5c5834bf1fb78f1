"""What the moving parts look like: a small colour and place classifier, taught by the motion.

For each frame a ridge regression on random rectified features ("extreme learning machine",
Huang, Zhu and Siew, Neurocomputing 2006) is fitted in closed form to the motion evidence of
a window of frames around it. The sufficient statistics of a frame are small sums, so the
window slides at constant cost. Pixels near moving regions weigh more than far ones: the
model must tell the object from its surroundings, not from the sky.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]

SHRINK = 2
CHANNELS = 13
HIDDEN = 64
SAMPLE_STRIDE = 7
RIDGE = 1e-3
LAB_SCALE = np.array([50, 30, 30], np.float32)
CLIP = 0.95


@dataclass
class _Entry:
    """One frame in the window: its features, its evidence and its sums."""

    index: int
    features: NDArray[np.float16]
    evidence: NDArray[np.float16]
    gram: FloatArray
    moment: FloatArray
    mass: NDArray[np.float64]


class AppearanceWindow:
    """Sliding window of frames, pushed in order of time or against it.

    ``push`` returns the frames whose window is now complete; ``finish`` the rest.
    """

    def __init__(self, radius: int = 15, seed: int = 0) -> None:
        """Draw the fixed random features.

        Args:
            radius: frames on each side that teach a frame.
            seed: of the random features; the same seed gives the same masks.
        """
        generator = np.random.default_rng(seed)
        scale = 1.5 / np.sqrt(CHANNELS)
        self._weights = (generator.standard_normal((CHANNELS, HIDDEN)) * scale).astype(np.float32)
        self._bias = generator.uniform(-1, 1, HIDDEN).astype(np.float32)
        self._radius = radius
        self._entries: deque[_Entry] = deque()
        self._pending = 0

    def push(
        self, index: int, rgb: ByteArray, evidence: FloatArray
    ) -> list[tuple[int, FloatArray, FloatArray]]:
        """Add a frame; returns (index, evidence, appearance log-odds) of completed frames.

        Args:
            index: the frame's name for the caller.
            rgb: working frame, uint8 [h, w, 3].
            evidence: motion log-odds, float32 [h, w].
        """
        self._entries.append(self._describe(index, rgb, evidence))
        done = []
        if len(self._entries) - self._pending > self._radius:
            done.append(self._classify(self._pending))
            self._pending += 1
        if self._pending > self._radius:
            self._entries.popleft()
            self._pending -= 1
        return done

    def finish(self) -> list[tuple[int, FloatArray, FloatArray]]:
        """The frames still waiting at the end of the video, in the order of their pushes."""
        done = []
        while self._pending < len(self._entries):
            done.append(self._classify(self._pending))
            self._pending += 1
            if self._pending > self._radius:
                self._entries.popleft()
                self._pending -= 1
        return done

    def _describe(self, index: int, rgb: ByteArray, evidence: FloatArray) -> _Entry:
        """Features and sums of one frame; class sums stay apart so that they can be balanced."""
        features = pixel_features(rgb, evidence)
        height, width = features.shape[:2]
        small = cv2.resize(evidence, (width, height), interpolation=cv2.INTER_AREA)
        target = np.tanh(small.reshape(height, width) / 2)
        gate = location_gate(target)
        chosen = slice(index % SAMPLE_STRIDE, None, SAMPLE_STRIDE)
        lifted = self._lift(features.reshape(-1, CHANNELS)[chosen])
        pull = (target * gate).reshape(-1)[chosen]
        gram, moment, mass = [], [], []
        for weight in (np.maximum(pull, 0), np.maximum(-pull, 0)):
            used = weight > 0
            rows, held = lifted[used], weight[used]
            gram.append((rows * held[:, None]).T @ rows)
            moment.append(held @ rows)
            mass.append(held.sum(dtype=np.float64))
        return _Entry(
            index,
            features.astype(np.float16),
            evidence.astype(np.float16),
            np.stack(gram),
            np.stack(moment),
            np.array(mass),
        )

    def _lift(self, features: FloatArray) -> FloatArray:
        """Random rectified features, the features themselves and a constant, float32 [n, d]."""
        count = len(features)
        lifted = np.empty((count, HIDDEN + CHANNELS + 1), np.float32)
        hidden = features @ self._weights + self._bias
        np.maximum(hidden, 0, out=lifted[:, :HIDDEN])
        lifted[:, HIDDEN:-1] = features
        lifted[:, -1] = 1
        return lifted

    def _classify(self, position: int) -> tuple[int, FloatArray, FloatArray]:
        """Fit on the window of one entry and apply to it."""
        entry = self._entries[position]
        first = max(0, position - self._radius)
        window = list(self._entries)[first : position + self._radius + 1]
        evidence = entry.evidence.astype(np.float32)
        mass = np.sum([e.mass for e in window], axis=0)
        if mass.min() <= 1.0:
            return entry.index, evidence, np.zeros_like(evidence)
        balance = (mass.sum() / (2 * mass)).astype(np.float32)
        gram = np.tensordot(balance, np.sum([e.gram for e in window], axis=0), 1)
        moment = balance[0] * sum(e.moment[0] for e in window) - balance[1] * sum(
            e.moment[1] for e in window
        )
        gram[np.diag_indices_from(gram)] += np.float32(RIDGE * np.trace(gram) / len(gram))
        solution = np.linalg.solve(gram, moment).astype(np.float32)
        height, width = entry.features.shape[:2]
        score = self._lift(entry.features.reshape(-1, CHANNELS).astype(np.float32)) @ solution
        score = 2 * np.arctanh(np.clip(score, -CLIP, CLIP)).reshape(height, width)
        full = cv2.resize(score, evidence.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return entry.index, evidence, np.asarray(full, np.float32).reshape(evidence.shape)


def location_gate(target: FloatArray) -> FloatArray:
    """Weight of each pixel as a teacher: near moving regions 1, far from them 0.03.

    Args:
        target: signed motion belief in -1..1, float32 [h, w].
    """
    moving = np.maximum(target, 0)
    sigma = max(2.0, 0.5 * float(np.sqrt(moving.sum(dtype=np.float64) + 1)))
    near = cv2.GaussianBlur(moving, (0, 0), sigma).reshape(target.shape)
    return np.asarray(0.03 + 0.97 * near / (near.max() + np.float32(1e-6)), np.float32)


def pixel_features(rgb: ByteArray, evidence: FloatArray) -> FloatArray:
    """Thirteen numbers a pixel at half size, float32 [h / 2, w / 2, 13].

    Lab at three scales (9), local deviation of lightness (1), gradient energy (1), and the
    place relative to the moving region's centre and spread, saturating far away (2).
    """
    height, width = max(1, rgb.shape[0] // SHRINK), max(1, rgb.shape[1] // SHRINK)
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    small = small.reshape(height, width, 3).astype(np.float32) * np.float32(1 / 255)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2Lab), np.float32) / LAB_SCALE
    lab[..., 0] -= 1
    light = np.ascontiguousarray(lab[..., 0])
    features = np.empty((height, width, CHANNELS), np.float32)
    features[..., 0:3] = lab
    features[..., 3:6] = cv2.GaussianBlur(lab, (0, 0), 2.0).reshape(lab.shape)
    features[..., 6:9] = cv2.GaussianBlur(lab, (0, 0), 6.0).reshape(lab.shape)
    square = cv2.GaussianBlur(light * light, (0, 0), 2.0).reshape(light.shape)
    features[..., 9] = 4 * np.sqrt(np.maximum(square - features[..., 3] ** 2, 0))
    slope = np.hypot(cv2.Sobel(light, -1, 1, 0), cv2.Sobel(light, -1, 0, 1))
    features[..., 10] = 2 * cv2.GaussianBlur(slope, (0, 0), 3.0).reshape(light.shape)
    features[..., 11:13] = _relative_place(evidence, (height, width))
    return features


def _relative_place(evidence: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Place relative to the moving region, saturating at three spreads, float32 [h, w, 2]."""
    height, width = size
    belief = np.maximum(np.tanh(evidence / 2), 0)
    belief = cv2.resize(belief, (width, height), interpolation=cv2.INTER_AREA)
    belief = belief.reshape(height, width).astype(np.float64)
    total = belief.sum() + 1e-3
    place = np.empty((height, width, 2), np.float32)
    for axis, count in ((0, width), (1, height)):
        profile = belief.sum(axis=axis)
        coordinate = np.arange(count)
        centre = (profile * coordinate).sum() / total
        spread = np.sqrt((profile * (coordinate - centre) ** 2).sum() / total) + 3
        value = 3 * np.tanh((coordinate - centre) / (3 * spread))
        place[..., axis] = value[None, :] if axis == 0 else value[:, None]
    return place
