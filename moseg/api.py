"""moseg from Python: one call, masks back."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from moseg.core.errors import InputError, MosegError
from moseg.core.frame_record import FrameRecord
from moseg.core.layout import output_layout
from moseg.core.masks import read_mask_png
from moseg.core.progress import Listener, Silent
from moseg.core.scene import Scene, find_scenes
from moseg.core.types import ObjectMasks
from moseg.pipeline.config import load_config
from moseg.pipeline.session import Session


def segment(
    path: str | Path,
    preset: str = "builtin",
    *,
    out: str | Path | None = None,
    settings: Sequence[str] = (),
    listener: Listener | None = None,
) -> ObjectMasks:
    """Return masks of what moves in a video or image folder.

    Args:
        path: one video file, or one folder of images.
        preset: named settings.
        out: folder for caches, masks and `run.json`, as of `moseg run`; a second call with
            the same folder reuses what is there. None: a temporary folder, removed at the end.
        settings: single settings, such as `"tracks.spacing=8"`.
        listener: is told of progress; None: nobody is.

    Returns:
        Object ids of every frame, uint8 [T, H, W] at the source's size, with frame names,
        times and notes. All frames are held: for long videos run the command line and read
        the mask files one by one.

    Raises:
        MosegError: the input, a setting or the output folder is wrong; one line.
        RuntimeError: a fault of moseg, with the stack trace of where it happened.
    """
    if out is None:
        with tempfile.TemporaryDirectory(prefix="moseg-") as folder:
            return _segment(Path(path), preset, Path(folder), settings, listener)
    return _segment(Path(path), preset, Path(out), settings, listener)


def _segment(
    path: Path, preset: str, out: Path, settings: Sequence[str], listener: Listener | None
) -> ObjectMasks:
    config = load_config(preset, settings=settings)
    scene = _one_scene(path)
    session = Session((path,), out, config)
    report = session.run(listener or Silent(), only=["frames", "masks"])
    failure = report.results[0].failure
    if failure is not None and failure.user_error:
        raise MosegError(failure.reason)
    if failure is not None:
        raise RuntimeError(f"{failure.reason}\n{failure.details}")
    layout = output_layout(out)
    target = FrameRecord.load(layout.slot(scene.name, "frames", ".json").target).target
    masks = layout.slot(scene.name, "masks").target
    ids = np.zeros((len(target), target.height, target.width), np.uint8)
    for frame, name in zip(ids, target.names, strict=True):
        frame[:] = read_mask_png(masks / f"{name}.png")
    notes = tuple(note for record in report.results[0].records for note in record.notes)
    return ObjectMasks(ids, target.names, target.times, notes)


def _one_scene(path: Path) -> Scene:
    scenes, problems = find_scenes([path])
    if problems:
        raise problems[0].error
    if len(scenes) != 1:
        raise InputError(
            f"{path} holds {len(scenes)} scenes; give one video or one folder of images, "
            "or use moseg run"
        )
    return scenes[0]
