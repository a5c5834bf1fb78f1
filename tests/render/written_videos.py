"""Write a few frames to a video, and read it back."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from moseg.render.video_writer import VideoWriter


def moving_square(count: int, height: int = 64, width: int = 96) -> list[np.ndarray]:
    ys, xs = np.mgrid[:height, :width]
    background = np.stack([80 + xs, 60 + ys, np.full_like(xs, 120)], axis=-1).astype(np.uint8)
    frames = []
    for i in range(count):
        frame = background.copy()
        frame[10 : 10 + height // 4, 4 + 3 * i : 4 + 3 * i + width // 5] = (250, 40, 30)
        frames.append(frame)
    return frames


def write(path: Path, frames, times=None, **options) -> list[str]:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, height, width, **options) as writer:
        for i, frame in enumerate(frames):
            writer.add(frame, None if times is None else times[i])
    return writer.notes


def read(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
    return [f.to_ndarray(format="rgb24") for f in decoded], [f.time for f in decoded]


def length(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return float(stream.duration * stream.time_base)


def stored_alpha(frame: av.VideoFrame) -> np.ndarray:
    """The alpha of a decoded frame as it is stored: 8 bits a pixel of PNG, 12 of ProRes."""
    if frame.format.name == "rgba":
        return frame.to_ndarray()[..., 3]
    assert frame.format.name == "yuva444p12le"
    plane = frame.planes[3]
    rows = np.frombuffer(plane, np.uint16).reshape(frame.height, plane.line_size // 2)
    return rows[:, : frame.width]
