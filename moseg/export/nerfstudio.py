"""Masks for nerfstudio: pixels that it does not train on, at every size it may train at.

nerfstudio takes the masks of all frames or of none, and finds them through `mask_path` in
`transforms.json`. Where it trains on `images_2/x.png`, it reads `masks_2/<name of the mask>`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from moseg.core.scene import image_files
from moseg.export.clips import MaskClip
from moseg.export.heads import Size, image_size
from moseg.export.places import black_where, make_folder, write_grey
from moseg.export.reshape import Reshape, nearest_pixels
from moseg.export.transforms import Transforms
from moseg.export.written import Written

FACTORS = (2, 4, 8)


def write_nerfstudio(clips: Sequence[MaskClip], out: Path, shape: Reshape) -> Written:
    """Write `out/<scene>/masks/<frame>.png` and smaller ones in `masks_2`, `masks_4`, `masks_8`.

    One channel: 0 (ignored) what moves, else 255.

    Raises:
        InputError: the images are not known, or masks and images differ.
        OutputError: the place cannot be written.
    """
    sizes = [_small_sizes(clip.size, clip.known_images().scene.source) for clip in clips]
    for clip, smaller in zip(clips, sizes, strict=True):
        _write_sizes(clip, out / clip.name, shape, smaller)
    return Written(tuple(out / clip.name for clip in clips))


def write_nerfstudio_data(
    clip: MaskClip, out: Path, shape: Reshape, transforms: Transforms
) -> Written:
    """Write the same folders right into `out`, and a copy of transforms.json that names them.

    The copy is called like the original with `_masked` added. Its paths are relative to `out`.
    Where `out` is the folder of the original they are therefore the same, and nerfstudio finds
    its smaller images.

    Raises:
        InputError: a frame of the file has no mask.
        OutputError: the place cannot be written.
    """
    masks = transforms.masks_of_frames(clip)
    _write_sizes(clip, out, shape, _small_sizes(clip.size, transforms.image_folder))
    copy = out / f"{transforms.file.stem}_masked.json"
    transforms.save_copy(copy, [f"masks/{frame}.png" for frame in masks])
    if out.resolve() == transforms.file.parent.resolve():
        return Written((out / "masks", copy))
    note = (
        f"nerfstudio looks for images_2, images_4 and images_8 in {out} now; to train on those "
        f"of {transforms.file.parent}, export with --out {transforms.file.parent}"
    )
    return Written((out / "masks", copy), (note,))


def _write_sizes(clip: MaskClip, out: Path, shape: Reshape, sizes: Mapping[int, Size]) -> None:
    """Write the masks at full size and at the one of each factor, into folders of their own."""
    full = make_folder(out / "masks", clip)
    smaller = {make_folder(out / f"masks_{factor}", clip): size for factor, size in sizes.items()}
    for frame, labels in clip.all_labels():
        mask = black_where(shape.chosen(labels))
        write_grey(full / f"{frame}.png", mask)
        for folder, size in smaller.items():
            write_grey(folder / f"{frame}.png", nearest_pixels(mask, size))


def _small_sizes(size: Size, images: Path) -> dict[int, Size]:
    return {factor: _small_size(size, images, factor) for factor in FACTORS}


def _small_size(size: Size, images: Path, factor: int) -> Size:
    """Height and width of the images in `images_<factor>` beside `images`.

    Where there are none: the size divided by `factor`, rounded down.

    Raises:
        InputError: the first of them cannot be read.
    """
    beside = images.with_name(f"{images.name}_{factor}")
    existing = image_files(beside) if beside.is_dir() else []
    if existing:
        return image_size(existing[0])
    return max(1, size[0] // factor), max(1, size[1] // factor)
