"""Query frames: where tracks start and features are taken."""

from __future__ import annotations


def query_frames(frame_count: int, step: int) -> list[int]:
    """Return the frames 0, step, 2 * step, ... and the last frame of the scene."""
    frames = list(range(0, frame_count, step))
    if frames and frames[-1] != frame_count - 1:
        frames.append(frame_count - 1)
    return frames
