"""A made-up clip on disk: a video, and its truth as mask files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from moseg.core.errors import ConfigError, OutputError, writing_to
from moseg.core.masks import write_mask_png
from moseg.render.video_writer import VideoWriter
from moseg.sample.clip import RENDERERS, Kind

NAME = "sample"
FPS = 24
_MASK_NAME = re.compile(r"[0-9]{5,}\.png")


@dataclass(frozen=True)
class SampleFiles:
    """What `write_sample` wrote.

    `truth` holds a folder `sample` of palette PNGs, one a frame: it is a ground truth that
    `moseg eval davis16` takes.
    """

    video: Path
    truth: Path


def write_sample(
    folder: Path,
    kind: Kind = "objects",
    frames: int = 60,
    height: int = 480,
    width: int = 854,
    seed: int = 0,
    on_frame: Callable[[], None] | None = None,
) -> SampleFiles:
    """Write `folder/sample.mp4` and `folder/truth/sample/00000.png` ... of a made-up clip.

    An earlier sample in the folder is replaced. The video and the truth each appear whole or
    not at all; equal arguments give equal bytes.

    Args:
        kind: "objects", "static" or "pan", see `moseg.sample.clip`.
        frames, height, width, seed: as for `render_sample`; the video needs even sizes.
        on_frame: called after each frame.

    Raises:
        ConfigError: an argument is out of range.
        OutputError: the folder cannot be written, or `truth/sample` holds other files.
    """
    if kind not in RENDERERS:
        raise ConfigError(f"kind: {kind!r} is unknown; choose one of {', '.join(RENDERERS)}")
    if height % 2 or width % 2:
        raise ConfigError(f"size: {width}x{height} cannot be a video; use an even width and height")
    clip = RENDERERS[kind](frames, height, width, seed)
    video, truth = folder / f"{NAME}.mp4", folder / "truth" / NAME
    _check_replaceable(truth)
    partial = truth.with_name(f".partial-{NAME}")
    try:
        with writing_to(truth):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        with VideoWriter(video, height, width, FPS) as writer:
            for index, (frame, ids) in enumerate(clip):
                writer.add(frame)
                write_mask_png(partial / f"{index:05d}.png", ids)
                if on_frame is not None:
                    on_frame()
            with writing_to(truth):
                if truth.exists():  # so that no old truth stands beside the new video
                    shutil.rmtree(truth)
        with writing_to(truth):
            partial.rename(truth)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return SampleFiles(video, truth.parent)


def _check_replaceable(truth: Path) -> None:
    if not truth.exists():
        return
    if not truth.is_dir() or any(
        _MASK_NAME.fullmatch(path.name) is None for path in truth.iterdir()
    ):
        raise OutputError(
            f"{truth}: holds something other than the masks of a sample clip; "
            "move it away or choose another output folder"
        )
