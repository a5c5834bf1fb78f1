"""A predictor that reads its answers from label images, and holds its caller to the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.mask_store import MaskStore
from moseg.sam2.predictor import Prediction
from moseg.sam2.segment import SegmentSettings, segment
from moseg.sam2.segmentation import Segmentation
from moseg.sam2.tracks import TrackWindow

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

SIZE = (60, 100)
"""Of small scenes."""


class ScriptedPredictor:
    """Clicks find the region under most of the points; objects are what was clicked.

    Attributes:
        opened: windows in the order of opening.
        clicks: (frame, points) of the clicks that belong to no object.
        objects: all that were asked for.
    """

    def __init__(
        self,
        labels: UInt8,
        wholes: Mapping[int, tuple[int, ...]] | None = None,
        scores: Mapping[int, float] | None = None,
    ) -> None:
        """Take the truth.

        Args:
            labels: uint8 [T, H, W], 0 for background.
            wholes: of a clicked label, the labels that its region consists of, if not itself.
            scores: of labels, 0.9 unless told; an object has the highest of its labels.
        """
        self.labels = labels
        self.wholes = dict(wholes or {})
        self.scores = dict(scores or {})
        self.opened: list[range] = []
        self.clicks: list[tuple[int, Float32]] = []
        self.objects: list[ScriptedObject] = []

    @property
    def size(self) -> tuple[int, int]:
        return self.labels.shape[1], self.labels.shape[2]

    def open_window(self, frames: range) -> None:
        if self.opened:
            assert frames.start == self.opened[-1][-1], "windows share one frame"
        assert len(frames) > 0
        assert frames.stop <= len(self.labels)
        self.opened.append(frames)

    def click(self, frame: int, points: Float32) -> Bool:
        self.clicks.append((frame, points))
        return self.region(self.label_at(frame, points), frame)

    def new_object(self) -> ScriptedObject:
        self.objects.append(ScriptedObject(self))
        return self.objects[-1]

    def label_at(self, frame: int, points: Float32) -> int:
        """The label under most points, of equals the smallest."""
        assert self.opened, "no window is open"
        assert frame in self.opened[-1], f"{frame} is not in {self.opened[-1]}"
        assert points.dtype == np.float32
        assert points.ndim == 2
        assert points.shape[1] == 2
        assert len(points) >= 1
        height, width = self.size
        column = np.clip(np.trunc(points[:, 0]), 0, width - 1).astype(int)
        row = np.clip(np.trunc(points[:, 1]), 0, height - 1).astype(int)
        return int(np.bincount(self.labels[frame, row, column]).argmax())

    def region(self, label: int, frame: int) -> Bool:
        if label == 0:
            return np.zeros(self.size, bool)
        return np.isin(self.labels[frame], self.wholes.get(label, (label,)))


@dataclass
class ScriptedObject:
    """One object.

    Attributes:
        prompts: (frame, points) of all clicks, in order.
        names: labels that it was clicked on.
        carried: frames over which it was carried.
        passes: frames of each propagation.
    """

    home: ScriptedPredictor
    prompts: list[tuple[int, Float32]] = field(default_factory=list)
    names: dict[int, int] = field(default_factory=dict)
    carried: list[int] = field(default_factory=list)
    passes: list[list[int]] = field(default_factory=list)
    _remembered: set[int] = field(default_factory=set)
    _following: bool = False

    def click(self, frame: int, points: Float32) -> Bool:
        assert not self._following, "all prompts come before the first frame that is asked for"
        assert not self.carried or frame > self.carried[-1], "that frame is over"
        self.prompts.append((frame, points))
        self.names[frame] = self.home.label_at(frame, points)
        return self.home.region(self.names[frame], frame)

    def draw(self, frame: int, mask: Bool) -> Bool:
        raise NotImplementedError("the densifier only clicks")

    def propagate(self, frames: Sequence[int]) -> Iterator[Prediction]:
        self._following = True
        assert len(frames) > 0
        assert abs(int(np.diff(frames).sum())) == len(frames) - 1, "steps by one, one way"
        assert set(frames) <= set(self.home.opened[-1])
        if self.carried and self.carried[-1] == self.home.opened[-1].start:
            assert frames[0] == self.carried[-1] + 1
        else:
            assert not self.carried, "was let go"
            assert self.names, "has no prompt"
        self.passes.append(list(frames))
        known = self._remembered | set(self.names.values())
        for frame in frames:
            names = [self.names[frame]] if frame in self.names else sorted(known)
            mask = np.logical_or.reduce([self.home.region(name, frame) for name in names])
            score = max(self.home.scores.get(name, 0.9) for name in names) if mask.any() else 0.0
            yield Prediction(frame, mask, score)

    def carry(self, frame: int) -> None:
        assert frame == self.home.opened[-1][-1], "objects are carried at the end of a window"
        self.carried.append(frame)
        self._remembered |= set(self.names.values())
        self.names.clear()
        self._following = False


@dataclass(frozen=True)
class Mover:
    """A rectangle that moves.

    Attributes:
        label: in the label images.
        size: (height, width).
        way: (x, y) of its upper left pixel in each frame, int [T, 2]; it may leave the image.
        tracks: number of tracks on it, on a grid.
    """

    label: int
    size: tuple[int, int]
    way: NDArray[np.int64]
    tracks: int = 12


def line(frames: int, start: tuple[int, int], step: tuple[float, float]) -> NDArray[np.int64]:
    """A straight way, int [frames, 2]."""
    return np.rint(np.array(start) + np.arange(frames)[:, None] * np.array(step)).astype(np.int64)


class Scene:
    """Label images of movers, the later ones in front, and tracks that see what is in front."""

    def __init__(self, frames: int, size: tuple[int, int], movers: Sequence[Mover]) -> None:
        self.labels = np.zeros((frames, *size), np.uint8)
        for frame in range(frames):
            for mover in movers:
                x, y = (int(v) for v in mover.way[frame])
                rows = slice(max(0, y), max(0, y + mover.size[0]))
                columns = slice(max(0, x), max(0, x + mover.size[1]))
                self.labels[frame, rows, columns] = mover.label
        parts = [self._tracks(mover) for mover in movers]
        self.xy = np.concatenate([np.zeros((0, frames, 2), np.float32), *[xy for xy, _ in parts]])
        self.visible = np.concatenate([np.zeros((0, frames), bool), *[seen for _, seen in parts]])

    def _tracks(self, mover: Mover) -> tuple[Float32, Bool]:
        frames, height, width = self.labels.shape
        side = int(np.ceil(np.sqrt(mover.tracks)))
        grid = np.stack(np.meshgrid(*[(np.arange(side) + 0.5) / side] * 2), axis=-1)
        offsets = np.trunc(grid.reshape(-1, 2)[: mover.tracks] * mover.size[::-1])
        xy = (mover.way[None] + offsets[:, None]).astype(np.float32)
        inside = ((xy >= 0) & (xy < (width, height))).all(axis=2)
        column = np.clip(xy[..., 0], 0, width - 1).astype(int)
        row = np.clip(xy[..., 1], 0, height - 1).astype(int)
        return xy, inside & (self.labels[np.arange(frames), row, column] == mover.label)

    @property
    def total(self) -> int:
        """See `TrackSource`."""
        return len(self.visible)

    def window(self, frames: range) -> TrackWindow:
        """See `TrackSource`; tracks that are visible nowhere in the window are left out."""
        part = slice(frames.start, frames.stop)
        seen = self.visible[:, part].any(axis=1)
        return TrackWindow(frames.start, self.xy[seen, part], self.visible[seen, part])


def two_that_cross(frames: int = 20) -> Scene:
    """A large square to the right and a small one in front of it to the left; both are seen."""
    behind = Mover(1, (24, 24), line(frames, (0, 10), (60 / (frames - 1), 0)), tracks=25)
    front = Mover(2, (14, 14), line(frames, (80, 16), (-80 / (frames - 1), 0)), tracks=12)
    return Scene(frames, SIZE, [behind, front])


def solved(
    scene: Scene,
    folder: Path,
    predictor: ScriptedPredictor | None = None,
    window: int = 200,
    **settings: int,
) -> tuple[Segmentation, UInt8, ScriptedPredictor]:
    """Segmentation, its pictures uint8 [T, H, W], and the predictor."""
    frames = len(scene.labels)
    predictor = predictor or ScriptedPredictor(scene.labels)
    with MaskStore(folder / "masks", predictor.size) as store:
        chosen = SegmentSettings(window=window, **settings)
        found = segment(predictor, scene, frames, store, chosen)
        return found, np.stack([found.paint(frame) for frame in range(frames)]), predictor


def renamed(labels: UInt8, names: dict[int, int]) -> UInt8:
    """Label images with other ids; labels that are not named become background."""
    table = np.zeros(256, np.uint8)
    table[list(names)] = list(names.values())
    return table[labels]
