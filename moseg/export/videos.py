"""What the video forms share: one video a scene, frame by frame, at the times of the source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.frame_index import FrameIndex
from moseg.core.frames import RGB
from moseg.export.clips import Labels, MaskClip
from moseg.export.places import make_folder, refuse_source
from moseg.export.written import Written
from moseg.render.video_codecs import Codec
from moseg.render.video_writer import VideoWriter

Picture = Callable[[RGB, Labels], NDArray[np.uint8]]
"""Of RGB uint8 [H, W, 3] and object ids uint8 [H, W], what is encoded, uint8 [H, W, C]."""

_ROUNDING = 0.0006  # seconds: containers that count milliseconds are off by half of one


def write_videos(
    clips: Sequence[MaskClip], out: Path, form: str, codec: Codec, picture: Picture
) -> Written:
    """Write `out/<scene>_<form>.<suffix of the codec>`, without sound.

    Raises:
        InputError: a mask cannot be read, or the images are not known or others than those the
            masks are of.
        OutputError: the place cannot be written.
        BackendError: this PyAV lacks the encoder.
    """
    paths: list[Path] = []
    notes: list[str] = []
    all_images = [clip.known_images() for clip in clips]
    for clip, images in zip(clips, all_images, strict=True):
        index = images.index
        path = make_folder(out, clip) / f"{clip.name}_{form}.{codec.container}"
        refuse_source(path, clip)
        rate = constant_rate(index)
        times = index.times if rate is None else [None] * len(index)
        with VideoWriter(path, index.height, index.width, rate or index.fps, codec) as writer:
            for name, frame, time in zip(index.names, images.frames(), times, strict=True):
                writer.add(picture(frame, clip.labels(name)), time)
        paths.append(path)
        notes += writer.notes
    return Written(tuple(paths), tuple(notes))


def constant_rate(index: FrameIndex) -> Fraction | None:
    """Frames a second, if no frame is off by more than the rounding of time stamps; else None.

    A video whose rate is constant says so, as editors like it. A rate that was measured from
    rounded stamps is taken for a usual one next to it where that fits.
    """
    for rate in _likely_rates(index.fps):
        if all(abs(time - i / rate) < _ROUNDING for i, time in enumerate(index.times)):
            return rate
    return None


def _likely_rates(fps: float) -> list[Fraction]:
    """Whole ones and those of broadcasting, the nearest first; at last the measured one."""
    measured = Fraction(fps).limit_denominator(1001)
    whole, broadcast = Fraction(round(fps)), Fraction(1000 * round(fps * 1.001), 1001)
    usual = [rate for rate in (whole, broadcast) if rate]
    return [*sorted(usual, key=lambda rate: abs(rate - measured)), measured]
