"""What the track classifier is trained on: tracks of one clip, and which of them move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class TrackSample:
    """N tracks of one query frame over a clip of T frames, with their truth.

    Attributes:
        xy: float32 [N, T, 2], pixels, centres at integers.
        visible: bool [N, T]; some track in every frame, and each track in some frame.
        visibility, confidence: float32 [N, T], 0..1.
        depth: float32 [N, T], 0..1, larger is nearer; None where depth is not read.
        features: float16 [N, C], appearance at the query points; None where it is not read.
        query_frame: frame of the clip, 0..T-1, from which the tracks start.
        size: height and width of the frames.
        label: bool [N], the track starts on something that moves.
        judged: bool [N], the truth of the track is known; others are left out of the loss.
    """

    xy: Float32
    visible: Bool
    visibility: Float32
    confidence: Float32
    depth: Float32 | None
    features: NDArray[np.float16] | None
    query_frame: int
    size: tuple[int, int]
    label: Bool
    judged: Bool

    def __len__(self) -> int:
        return len(self.xy)
