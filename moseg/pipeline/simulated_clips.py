"""Simulated scenes as the built-in stages see them: real flow, real tracks, true labels.

A scene is rendered at working size and goes through what the built-in backends of `flow`,
`depths`, `tracks` and `dinos` do, so that a classifier learns from the errors that these make.
The truth is read from the rendered ids under the tracks.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.arrays import FrameArray
from moseg.core.parallel import single_threaded_libraries
from moseg.core.query_frames import query_frames
from moseg.core.scene import Scene as Source
from moseg.core.stage import Task
from moseg.core.types import FeatureMap, Tracks
from moseg.core.working_clip import WorkingClip, WorkingClipWriter
from moseg.motion.simulate.render import Rendered, render
from moseg.motion.simulate.scene import Scene
from moseg.preproc.depths.backend import Geometry, GeometryParams
from moseg.preproc.dinos.backend import HandmadeParams
from moseg.preproc.dinos.handmade import feature_map
from moseg.preproc.flow.dis import flow_pair
from moseg.preproc.tracks.backend import GridParams
from moseg.preproc.tracks.grid import track_set

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Pixel = TypeVar("Pixel", bound=np.generic)

DOUBTFUL_PIXELS = 1
"""Points this near to the edge of a moving object may be on either side of it."""


@dataclass(frozen=True)
class Truth:
    """What is true of the tracks of one set.

    Attributes:
        object_id: uint8 [N], the moving object under the track in its query frame, else 0.
        moving: bool [N], whether there is one.
        moving_now: bool [N, L], whether that object moves in the world in each frame.
        certain: bool [N], not on an edge of a moving object in the query frame.
        stays: bool [N, L], the same object, or none, is under the track in each frame; false
            where the track has gone astray, or what it was on is hidden.
    """

    object_id: UInt8
    moving: Bool
    moving_now: Bool
    certain: Bool
    stays: Bool


@dataclass(frozen=True)
class LabelledSet:
    """The tracks of one query frame, what they look like, and the truth."""

    tracks: Tracks
    features: FeatureMap
    truth: Truth


@dataclass(frozen=True)
class SimulatedClip:
    """A scene after the built-in stages; T frames of [h, w] pixels.

    Attributes:
        scene: what it is made from.
        rendered: frames and truth of the pixels.
        evidence, disparity, confidence: float16 [T, h, w], what `Geometry` leaves.
        cameras: its homographies and their confidences, by name.
        sets: in the order of their query frames.
    """

    scene: Scene
    rendered: Rendered
    evidence: NDArray[np.float16]
    disparity: NDArray[np.float16]
    confidence: NDArray[np.float16]
    cameras: dict[str, NDArray[np.float64]]
    sets: tuple[LabelledSet, ...]


def simulate_clip(
    scene: Scene, tracks: GridParams | None = None, features: HandmadeParams | None = None
) -> SimulatedClip:
    """Render a scene and run the built-in stages on it; the same clip every time.

    Args:
        scene: at working size, at least 2 frames.
        tracks: where tracks start and how far they run; as the built-in backend's by default.
        features: size of feature cells; query frames are those of the tracks.
    """
    tracks, features = tracks or GridParams(), features or HandmadeParams()
    rendered = render(scene)
    with tempfile.TemporaryDirectory() as name, single_threaded_libraries():
        folder = Path(name)
        flow, depths = folder / "flow", folder / "depths"
        for made in (flow, depths):
            made.mkdir()
        _write_flow(rendered.frames, flow)
        source = Source(f"simulated-{scene.seed}", folder, "images")
        Geometry(GeometryParams()).run(Task(source, {"flow": flow}, depths))
        with WorkingClip(flow) as clip:
            queries = query_frames(len(clip), tracks.step)
            sets = [_labelled(scene, rendered, clip, q, (tracks, features)) for q in queries]
        maps = [_read(depths / f"{name}.npy") for name in ("evidence", "disparity", "confidence")]
        with np.load(depths / "cameras.npz") as stored:
            cameras = dict(stored)
    return SimulatedClip(scene, rendered, maps[0], maps[1], maps[2], cameras, tuple(sets))


def _write_flow(frames: UInt8, folder: Path) -> None:
    """Leave the artefact of the `flow` stage."""
    greys = [np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in frames]
    with WorkingClipWriter(folder, frames.shape[1:3]) as writer:
        for frame in frames:
            writer.add_frame(frame)
        for first, second in pairwise(greys):
            writer.add_flow(*flow_pair(first, second))


def _read(path: Path) -> NDArray[np.float16]:
    with FrameArray(path) as stored:
        return np.stack(list(stored))


def _labelled(
    scene: Scene,
    rendered: Rendered,
    clip: WorkingClip,
    query: int,
    params: tuple[GridParams, HandmadeParams],
) -> LabelledSet:
    """Tracks, features and truth of one query frame."""
    grid, look = params
    found = track_set(clip, query, len(clip), clip.size, grid.span, grid.spacing)
    tracks = Tracks(
        query_frame=query,
        start=found.start,
        xy=found.xy,
        visible=found.visible,
        visibility=found.visibility,
        confidence=found.confidence,
    )
    features = FeatureMap(query, feature_map(clip.rgb(query), look.cell), float(look.cell))
    return LabelledSet(tracks, features, read_truth(tracks, rendered.ids, scene.moves))


def read_truth(tracks: Tracks, ids: UInt8, moves: Bool) -> Truth:
    """The truth of tracks, read under them.

    Args:
        tracks: of one query frame, in pixels of `ids`.
        ids: moving objects, uint8 [T, H, W].
        moves: whether each object moves in each frame, bool [objects + 1, T]; row 0 is false.
    """
    at = tracks.query_frame - tracks.start
    window = range(tracks.start, tracks.start + tracks.xy.shape[1])
    under = np.stack([_under(ids[t], tracks.xy[:, t - tracks.start]) for t in window], axis=1)
    own = under[:, at]
    return Truth(
        object_id=own,
        moving=own > 0,
        moving_now=moves[own][:, list(window)],
        certain=~_under(_edges(ids[tracks.query_frame]), tracks.xy[:, at]),
        stays=tracks.visible & (under == own[:, None]),
    )


def _under(picture: NDArray[Pixel], xy: Float32) -> NDArray[Pixel]:
    """The pixels of a picture [H, W] nearest to places (x, y) [N, 2], [N]."""
    height, width = picture.shape
    column = np.clip(np.rint(xy[:, 0]).astype(int), 0, width - 1)
    row = np.clip(np.rint(xy[:, 1]).astype(int), 0, height - 1)
    found: NDArray[Pixel] = picture[row, column]
    return found


def _edges(ids: UInt8) -> Bool:
    """Pixels within DOUBTFUL_PIXELS of another id, bool [H, W]."""
    kernel = np.ones((2 * DOUBTFUL_PIXELS + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(ids, kernel) != cv2.erode(ids, kernel))
