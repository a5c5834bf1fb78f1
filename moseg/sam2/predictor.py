"""What the densifier asks of a network (or of anything else): click or mask in, mask out.

`segment` (prompts from tracks, objects, merging) is written against these two protocols; SAM 2
(`sam2/video`) and the built-in regions (`sam2/light`) stand behind them.

Coordinates are (x, y) pixels of masks, centres at integers. Frames are numbered through the
whole scene, also where it is worked on in windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Prediction:
    """One object in one frame.

    Attributes:
        frame: number of the frame.
        mask: bool [H, W]; empty where the object is not seen.
        score: 0..1, how sure the predictor is of this mask; 0 for an empty one.
    """

    frame: int
    mask: Bool
    score: float


class ObjectPredictor(Protocol):
    """One object: its prompts, and what is remembered of it."""

    def click(self, frame: int, points: Float32) -> Bool:
        """Prompt with points on the object, float32 [n, 2], n >= 1; return the mask, bool [H, W].

        A second click on a frame replaces the points of the first and refines its mask.
        """

    def draw(self, frame: int, mask: Bool) -> Bool:
        """Prompt with the object's mask in a frame, bool [H, W]; return the predictor's."""

    def propagate(self, frames: Sequence[int]) -> Iterator[Prediction]:
        """Yield the object in each of `frames`, which ascend or descend by one.

        All prompts have been given. A prompted frame yields the mask that its prompt gave.
        Frames of an earlier pass may come again from the other side.
        """

    def carry(self, frame: int) -> None:
        """Forget what is not needed to go on after `frame`, the last of a window.

        What was seen of the object lives on: prompts may follow in later frames, and
        `propagate` starts at `frame + 1`.
        """


class Predictor(Protocol):
    """Objects in the frames of one scene."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of masks, and of the pixels in which points are given."""

    def open_window(self, frames: range) -> None:
        """Make the frames of a window ready; the ones before it are not asked for again.

        The first frame of a window may be the last of the one before.
        """

    def click(self, frame: int, points: Float32) -> Bool:
        """Return the mask of what lies at points [n, 2] of one frame, known from it alone."""

    def new_object(self) -> ObjectPredictor:
        """Return an object without prompts."""
