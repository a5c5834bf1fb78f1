"""From labelled points to a soft foreground and object ids for every frame of a clip.

Four passes over the frames, each at constant memory; what must wait lies in ``scratch``:

1. forward: votes of the points, carried along the flow with decay     -> ("votes", t)
2. backward: votes carried the other way, both spread within edges,
   then the appearance classifier of a window of frames                -> ("soft", t)
3. forward: ids of regions carried along the flow                      -> ("ids", t)
4. forward: guided filter; one ``DenseFrame`` a frame, in order of time

``find_regions`` is the first three, ``sharpen`` the last. Between the two, prompts from tracks
make objects of the regions (``moseg.sam2.segment``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.sam2.light.appearance import AppearanceWindow
from moseg.sam2.light.guided import GuidedFilter, apply_coefficients
from moseg.sam2.light.nearest import nearest_label
from moseg.sam2.light.objects import ObjectSettings, ObjectTracker
from moseg.sam2.light.regions import Regions, Scratch
from moseg.sam2.light.votes import carry_votes, draw_votes, spread_votes

FloatArray = NDArray[np.float32]
FlowArray = NDArray[np.float16] | NDArray[np.float32]
ByteArray = NDArray[np.uint8]

# How far, in working pixels, the guided filter may move an object's edge outwards.
EDGE_REACH = 4.0
# Rows lifted at a time: a band stays in the processor's cache, and memory stays small.
BAND = 32
# The votes spread over twice the spacing of the points, within these bounds in pixels.
SHORTEST_SPREAD, LONGEST_SPREAD = 4.0, 32.0


@dataclass(frozen=True)
class PointLabels:
    """Labelled points of one frame.

    Attributes:
        xy: working pixels, centres at integers, float32 [n, 2].
        log_odds: of moving, float32 [n]; about 3 is sure.
        weight: float32 [n], 0..1.
    """

    xy: FloatArray
    log_odds: FloatArray
    weight: FloatArray


class LabelledClip(Protocol):
    """Random access to what the densifier reads; every pass reads a frame at most once."""

    def __len__(self) -> int: ...

    def rgb(self, index: int) -> ByteArray:
        """Working frame, uint8 [h, w, 3]."""

    def forward(self, index: int) -> FlowArray:
        """Flow from ``index`` to ``index + 1``, float [h, w, 2]."""

    def backward(self, index: int) -> FlowArray:
        """Flow from ``index + 1`` to ``index``, float [h, w, 2]."""

    def points(self, index: int) -> PointLabels:
        """Labelled points of a frame."""


@dataclass(frozen=True)
class DensifySettings:
    """Parameters of the densifier.

    Attributes:
        decay: share of the votes that survives one frame.
        appearance_window: frames on each side that teach a frame's appearance model.
        appearance_weight: factor on the appearance log-odds; 0 leaves appearance out.
        edge_radius: half side of the guided filter's window, in working pixels.
        edge_epsilon: its ridge, in squared colour 0..1.
        objects: what counts as an object.
    """

    decay: float = 0.8
    appearance_window: int = 15
    appearance_weight: float = 1.0
    edge_radius: int = 8
    edge_epsilon: float = 1e-4
    objects: ObjectSettings = field(default_factory=ObjectSettings)


@dataclass(frozen=True)
class DenseFrame:
    """The result for one frame.

    Attributes:
        index: of the frame.
        soft: foreground in -1..1 after the guided filter, float32 [h, w]; above 0 is
            foreground before small and short-lived objects are removed.
        ids: uint8 [h, w], 0 background, 1.. objects in order of first appearance.
        near: ``ids`` grown by a few pixels, uint8 [h, w]: where a full-size mask may lie.
        coefficients: of the guided filter, float32 [h, w, 4], for ``lift``.
    """

    index: int
    soft: FloatArray
    ids: ByteArray
    near: ByteArray
    coefficients: FloatArray

    def lift(self, full: ByteArray) -> ByteArray:
        """Object ids at the size of the source frame, uint8 [H, W].

        Args:
            full: the source frame, RGB uint8 [H, W, 3]; its edges are followed.
        """
        size = (full.shape[0], full.shape[1])
        result = np.zeros(size, np.uint8)
        if not self.near.any():
            return result
        rows = _bounds(self.near.max(axis=1) > 0, size[0])
        columns = _bounds(self.near.max(axis=0) > 0, size[1])
        near = cv2.resize(self.near, size[::-1], interpolation=cv2.INTER_NEAREST).reshape(size)
        for top in range(*rows, BAND):
            box = np.s_[top : min(top + BAND, rows[1]), columns[0] : columns[1]]
            value = apply_coefficients(self.coefficients, full[box], size, (top, columns[0]))
            result[box] = near[box] * (value > 0)
        return result


def find_regions(clip: LabelledClip, scratch: Scratch, settings: DensifySettings) -> Regions:
    """Return the moving regions of all frames, each with one id through the clip.

    Args:
        clip: frames, flow and labelled points.
        scratch: keeps per-frame arrays between the passes (float16 and uint16, at most about
            600 kB a working frame of 103 000 pixels); `sharpen` deletes them.
        settings: parameters.
    """
    _votes_forward(clip, scratch, settings)
    _evidence_backward(clip, scratch, settings)
    table = _track_objects(clip, scratch, settings)
    return Regions(scratch, table, clip.rgb(0).shape[:2])


def sharpen(
    clip: LabelledClip,
    scratch: Scratch,
    ids: Callable[[int], ByteArray],
    settings: DensifySettings,
) -> Iterator[DenseFrame]:
    """Yield every frame, in order of time, with edges that follow the colours.

    Args:
        clip, scratch, settings: as `find_regions` had them.
        ids: object ids uint8 [h, w] of a frame; called once for each, in order.
    """
    for index in range(len(clip)):
        objects = ids(index)
        soft = scratch.pop(("soft", index)).astype(np.float32)
        del scratch["ids", index]
        yield _finish(index, clip.rgb(index), soft, objects, settings)


def _votes_forward(clip: LabelledClip, scratch: Scratch, settings: DensifySettings) -> None:
    """Pass 1: the votes of each frame and of all frames before it."""
    votes: FloatArray | None = None
    for index in range(len(clip)):
        drawn = _drawn(clip, index)
        if votes is not None:
            flow, reverse = clip.backward(index - 1), clip.forward(index - 1)
            drawn = drawn + carry_votes(votes, flow, reverse, settings.decay)
        votes = drawn
        scratch["votes", index] = votes.astype(np.float16)


def _evidence_backward(clip: LabelledClip, scratch: Scratch, settings: DensifySettings) -> None:
    """Pass 2: votes of all frames, spread within edges; appearance; soft foreground."""
    window = AppearanceWindow(settings.appearance_window)

    def keep(done: list[tuple[int, FloatArray, FloatArray]]) -> None:
        for index, evidence, appearance in done:
            joint = evidence + np.float32(settings.appearance_weight) * appearance
            soft = np.tanh(joint / 2)
            scratch["soft", index] = _seeded(soft, evidence).astype(np.float16)

    later: FloatArray | None = None
    for index in range(len(clip) - 1, -1, -1):
        own = _drawn(clip, index)
        votes = scratch.pop(("votes", index)).astype(np.float32)
        if later is not None:
            later = carry_votes(later, clip.forward(index), clip.backward(index), settings.decay)
            votes += later
        later = own if later is None else later + own
        rgb = clip.rgb(index)
        evidence = spread_votes(votes, rgb, _reach(clip.points(index), rgb.shape))
        keep(window.push(index, rgb, evidence))
    keep(window.finish())


def _track_objects(
    clip: LabelledClip, scratch: Scratch, settings: DensifySettings
) -> NDArray[np.uint8]:
    """Pass 3: provisional object ids; returns the table to the final ones."""
    tracker = ObjectTracker(settings.objects)
    last = len(clip) - 1
    for index in range(last + 1):
        backward = clip.backward(index - 1) if index > 0 else None
        reverse = clip.forward(index - 1) if index > 0 else None
        motion = clip.forward(index) if index < last else backward
        foreground = scratch["soft", index] > 0
        scratch["ids", index] = tracker.update(foreground, backward, reverse, motion)
    return tracker.table()


def _finish(
    index: int, rgb: ByteArray, soft: FloatArray, ids: ByteArray, settings: DensifySettings
) -> DenseFrame:
    """Pass 4: edges that follow the colours, ids within a few pixels of their objects."""
    if not ids.any():
        coefficients = np.zeros((*soft.shape, 4), np.float32)
        return DenseFrame(index, np.minimum(soft, 0), ids, ids, coefficients)
    guided = GuidedFilter(rgb, settings.edge_radius, settings.edge_epsilon)
    coefficients = guided.coefficients(soft)
    filtered = apply_coefficients(coefficients, rgb)
    near = nearest_label(ids.astype(np.uint16), EDGE_REACH).astype(np.uint8)
    final = np.where(filtered > 0, near, 0).astype(np.uint8)
    return DenseFrame(index, filtered, final, near, coefficients)


def _drawn(clip: LabelledClip, index: int) -> FloatArray:
    """Vote image of the points of one frame."""
    points = clip.points(index)
    height, width = clip.rgb(index).shape[:2]
    return draw_votes(points.xy, points.log_odds, points.weight, (height, width))


def _reach(points: PointLabels, shape: tuple[int, ...]) -> float:
    """Spread of the votes in pixels, from the density of the points."""
    count = max(1, int(np.count_nonzero(points.weight > 0)))
    spacing = float(np.sqrt(shape[0] * shape[1] / count))
    return min(LONGEST_SPREAD, max(SHORTEST_SPREAD, 2 * spacing))


def _seeded(soft: FloatArray, evidence: FloatArray) -> FloatArray:
    """``soft`` without the components that no motion evidence supports: colour alone
    founds no object."""
    foreground = soft > 0
    if not foreground.any():
        return soft
    _, pieces = cv2.connectedComponents(foreground.astype(np.uint8), connectivity=8)
    seeded = np.zeros(int(pieces.max()) + 1, bool)
    seeded[pieces[foreground & (evidence > 0)]] = True
    seeded[0] = True
    return np.where(seeded[pieces], soft, -np.abs(soft)).astype(np.float32)


def _bounds(used: NDArray[np.bool_], size: int) -> tuple[int, int]:
    """First and one past the last used line, in lines of the full size."""
    where = np.flatnonzero(used)
    low = len(used)
    return int(where[0]) * size // low, -(-(int(where[-1]) + 1) * size // low)
