"""How stored pixels become displayed ones: a video's display matrix.

Phones store the picture as the sensor lies and say beside it how to turn or mirror it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType


@dataclass(frozen=True)
class Turn:
    """Perhaps swap the axes, then mirror: all eight quarter turns and mirrors."""

    swap: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Turn:
        """What the frame's display matrix asks for; other angles go to the next quarter."""
        a, b, c, d = _display_matrix(frame)
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width after the turn."""
        return (width, height) if self.swap else (height, width)

    def apply(self, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Turn a frame, [H, W, 3]."""
        if self.swap:
            frame = frame.transpose(1, 0, 2)
        if self.flip_x:
            frame = frame[:, ::-1]
        if self.flip_y:
            frame = frame[::-1]
        return np.ascontiguousarray(frame)


def _display_matrix(frame: av.VideoFrame) -> tuple[float, float, float, float]:
    """(a, b, c, d) of the map (x, y) -> (a x + c y, b x + d y), y pointing down."""
    try:
        blocks = cast(Iterable[SideData], frame.side_data)  # the stub says str
        found = [block for block in blocks if block.type is SideDataType.DISPLAYMATRIX]
    except ValueError:
        # PyAV cannot list side data of kinds it has no name for (18.1: the EXIF block of a
        # Motion-JPEG frame). It still knows the angle; a mirror beside it is out of reach.
        angle = math.radians(frame.rotation)
        return math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)
    if not found:
        return 1.0, 0.0, 0.0, 1.0
    a, b, _, c, d = np.frombuffer(bytes(found[0]), dtype=np.int32)[:5].tolist()
    return a, b, c, d
