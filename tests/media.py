"""Small real videos and images for tests, written with PyAV and OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

RGB = npt.NDArray[np.uint8]

_STAMP = Fraction(1, 90_000)  # seconds; fine enough for any frame rate


def moving_square_frames(
    count: int, height: int = 48, width: int = 64, side: int = 16, step: int = 2
) -> list[RGB]:
    """A red square that moves right over a still grey texture, `step` pixels a frame.

    It starts at the left, a quarter of the height down, and goes round at the right.
    """
    texture = np.random.default_rng(0).integers(90, 130, (height, width, 1), dtype=np.uint8)
    frames = []
    for i in range(count):
        frame = np.repeat(texture, 3, axis=2)
        left = i * step % max(1, width - side)
        frame[height // 4 : height // 4 + side, left : left + side] = (220, 20, 20)
        frames.append(frame)
    return frames


def write_video(
    path: Path,
    frames: Sequence[RGB],
    fps: float = 25.0,
    times: Sequence[float] | None = None,
    rotation: float | None = None,
    mirror: bool = False,
    codec: str = "libx264",
    audio: bool = False,
) -> Path:
    """Encode frames to a file whose suffix chooses the container; mp4 gets its index first.

    Args:
        times: seconds of each frame; default: spaced by `fps`.
        rotation: degrees counter-clockwise that a player must turn the picture.
        mirror: whether it must also mirror it left to right.
        codec: `libx264` and `mpeg4` lose a little, `ffv1` nothing. Any size can be encoded
            with `libx264` and `ffv1`: colour is not subsampled.
        audio: adds a tone as long as the video.
    """
    height, width = frames[0].shape[:2]
    options = {"movflags": "+faststart"} if path.suffix in (".mp4", ".mov", ".m4v") else {}
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(f"file:{path}", "w", options=options) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height = width, height
        stream.pix_fmt = {
            "mpeg4": "yuv420p",
            "ffv1": "bgr0",
            "libvpx": "yuv420p",
            "mjpeg": "yuvj420p",
        }.get(codec, "yuv444p")
        if codec == "libvpx":
            stream.bit_rate = 4_000_000
        if codec == "libx264":
            stream.options = {"crf": "8", "preset": "veryfast", "g": "10"}
        if rotation is not None or mirror:
            stream.set_display_rotation(rotation or 0, hflip=mirror)
        # The codec's own clock must be fine enough for the times asked for.
        clock = _STAMP if times is not None else 1 / rate
        stream.codec_context.time_base = clock
        tone = container.add_stream("aac", rate=8000) if audio else None
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.time_base = clock
            frame.pts = i if times is None else round(times[i] / clock)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _add_tone(container, tone, len(frames) / fps)
    return path


def write_audio(path: Path, seconds: float = 1.0) -> Path:
    """A file with sound alone."""
    with av.open(f"file:{path}", "w") as container:
        _add_tone(container, container.add_stream("aac", rate=8000), seconds)
    return path


def write_image(path: Path, pixels: npt.NDArray[Any]) -> Path:
    """Write an image as its suffix says: RGB, RGBA or grey, any depth the format has."""
    if pixels.ndim == 3:
        order = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        pixels = cv2.cvtColor(pixels, order)
    written, data = cv2.imencode(path.suffix, pixels)
    assert written
    path.write_bytes(data.tobytes())
    return path


def write_images(folder: Path, frames: Sequence[RGB], suffix: str = ".png") -> Path:
    """Write frames as `00000<suffix>`, `00001<suffix>`, ... into a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(frames):
        write_image(folder / f"{i:05d}{suffix}", frame)
    return folder


def _add_tone(
    container: av.container.OutputContainer, stream: av.AudioStream, seconds: float
) -> None:
    samples = np.sin(np.arange(int(seconds * 8000)) * 0.3).astype(np.float32)
    for start in range(0, len(samples), 1024):
        chunk = samples[None, start : start + 1024]
        frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
        frame.sample_rate = 8000
        frame.pts = start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
