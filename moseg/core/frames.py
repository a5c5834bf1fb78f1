"""`Frames`: the frames of a scene as stages read them, one after the other.

Nothing is held but the frame in hand, so memory does not grow with the length of a video.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from moseg.core.errors import InputError
from moseg.core.frame_index import FrameIndex
from moseg.core.images import list_frames, read_image
from moseg.core.scene import Scene
from moseg.core.selection import EVERYTHING, Selection
from moseg.core.video import read_video

RGB = npt.NDArray[np.uint8]


class Frames:
    """Selected frames of a scene, in order, RGB uint8 [height, width, 3].

    Each iteration decodes the source once, from the start, and closes it when the last
    frame is out or the loop is left.

    Attributes:
        scene: the source.
        index: all frames of the source.
        source_indices: which of them these are, ascending.
        height, width: pixels of the frames as they come out; shrunk by area averaging.
    """

    def __init__(self, scene: Scene, index: FrameIndex, selection: Selection = EVERYTHING) -> None:
        self.scene = scene
        self.index = index
        self.source_indices: tuple[int, ...] = selection.indices(len(index))
        self.height, self.width = selection.size(index.height, index.width)

    def __len__(self) -> int:
        return len(self.source_indices)

    @property
    def names(self) -> tuple[str, ...]:
        """The frames' names in the source, so masks can be told which frame they are of."""
        return tuple(self.index.names[i] for i in self.source_indices)

    @property
    def times(self) -> tuple[float, ...]:
        """Seconds from the first frame of the source."""
        return tuple(self.index.times[i] for i in self.source_indices)

    @property
    def fps(self) -> float:
        """Average rate of these frames; that of the source where all are selected."""
        if len(self) == len(self.index) or len(self) < 2:
            return self.index.fps
        times = self.times
        return (len(times) - 1) / (times[-1] - times[0])

    def resized(self, height: int, width: int) -> Frames:
        """The same frames, shrunk to `height` x `width` pixels.

        Raises:
            ValueError: that would enlarge them.
        """
        if not (0 < height <= self.height and 0 < width <= self.width):
            raise ValueError(f"cannot shrink {self.width}x{self.height} frames to {width}x{height}")
        return self._like(self.source_indices, height, width)

    def subset(self, positions: Sequence[int]) -> Frames:
        """The frames at the given ascending positions of this view, 0 the first."""
        chosen = tuple(self.source_indices[position] for position in positions)
        if any(second <= first for first, second in pairwise(chosen)):
            raise ValueError("positions must ascend")
        return self._like(chosen, self.height, self.width)

    def batches(self, size: int) -> Iterator[RGB]:
        """Consecutive frames stacked, uint8 [B, height, width, 3]; B = `size`, less at the end."""
        batch: list[RGB] = []
        with closing(iter(self)) as frames:
            for frame in frames:
                batch.append(frame)
                if len(batch) == size:
                    yield np.stack(batch)
                    batch = []
        if batch:
            yield np.stack(batch)

    def __iter__(self) -> Generator[RGB]:
        """Yield the frames, decoded here or where `frames_from` says.

        Raises:
            InputError: the source changed since it was indexed, or cannot be read.
        """
        source = _SOURCE.get()
        return self.decode() if source is None else source(self)

    def decode(self) -> Generator[RGB]:
        """Decode the frames in this process.

        Raises:
            InputError: the source changed since it was indexed, or cannot be read.
        """
        count = 0
        with closing(self._stored_frames()) as stored:
            for frame in stored:
                if frame.shape[:2] != (self.index.height, self.index.width):
                    raise self._changed()
                yield self._shrunk(frame)
                count += 1
        if count < len(self):
            raise self._changed()

    def _like(self, source_indices: tuple[int, ...], height: int, width: int) -> Frames:
        frames = Frames(self.scene, self.index)
        frames.source_indices = source_indices
        frames.height, frames.width = height, width
        return frames

    def _stored_frames(self) -> Generator[RGB]:
        if self.scene.kind == "video":
            return read_video(self.scene.source, self.source_indices)
        return self._stored_images()

    def _stored_images(self) -> Generator[RGB]:
        paths = list_frames(self.scene.source)
        if tuple(path.stem for path in paths) != self.index.names:
            raise self._changed()
        for i in self.source_indices:
            yield read_image(paths[i])

    def _shrunk(self, frame: RGB) -> RGB:
        if frame.shape[:2] == (self.height, self.width):
            return frame
        small = cv2.resize(frame, (self.width, self.height), interpolation=cv2.INTER_AREA)
        return np.asarray(small, dtype=np.uint8)

    def _changed(self) -> InputError:
        return InputError(f"{self.scene.source} changed while it was being worked on; run again")


@contextmanager
def frames_from(source: Callable[[Frames], Generator[RGB]]) -> Iterator[None]:
    """Let `source` yield the frames that this thread iterates over until the block ends."""
    before = _SOURCE.set(source)
    try:
        yield
    finally:
        _SOURCE.reset(before)


_SOURCE: ContextVar[Callable[[Frames], Generator[RGB]] | None] = ContextVar("source", default=None)
