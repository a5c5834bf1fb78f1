"""Masks for COLMAP: where it looks for no features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.export.clips import MaskClip
from moseg.export.places import black_where, make_folder, write_grey
from moseg.export.reshape import Reshape
from moseg.export.written import Written


def write_colmap(clips: Sequence[MaskClip], out: Path, shape: Reshape) -> Written:
    """Write `out/<scene>/<image file name>.png`, one channel: 0 (ignored) what moves, else 255.

    COLMAP looks for the mask of an image under the same path below `mask_path` as the image has
    below `image_path`, with `.png` added: `00001.jpg.png`. So for image folders side by side
    `mask_path` is `out`, and for one of them `out/<scene>`.

    Raises:
        InputError: the images are not known, or masks and images differ.
        OutputError: the place cannot be written.
    """
    folders = []
    all_images = [clip.known_images() for clip in clips]
    for clip, images in zip(clips, all_images, strict=True):
        folder = make_folder(out / clip.name, clip)
        for frame, labels in clip.all_labels():
            write_grey(folder / f"{images.files[frame]}.png", black_where(shape.chosen(labels)))
        folders.append(folder)
    return Written(tuple(folders))
