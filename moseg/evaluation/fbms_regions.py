"""What the colours of an annotation of FBMS-59 mean: regions, one of them the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError
from moseg.evaluation import mask_images
from moseg.evaluation.fbms_truth import SequenceTruth

BLACK, WHITE = 0x000000, 0xFFFFFF
NEAR_WHITE = 250
"""A colour with all channels above this is white."""
MOST_REGIONS = 64

Colours = NDArray[np.int32]
"""int32 [H, W]: R * 65536 + G * 256 + B."""


@dataclass(frozen=True)
class Regions:
    """What the colours of a sequence mean.

    Attributes:
        colours: one for each region, rising.
        background: BLACK or WHITE.
    """

    colours: tuple[int, ...]
    background: int


@dataclass(frozen=True)
class AnnotatedPixels:
    """One annotated frame.

    Attributes:
        regions: int [H, W], place of the region in `Regions.colours`.
        foreground: bool [H, W], all but the background.
        weights: float64 [H, W], confidence 0..1; None where all are certain.
    """

    regions: NDArray[np.integer]
    foreground: NDArray[np.bool_]
    weights: NDArray[np.float64] | None


def pack(colours: NDArray[np.uint8]) -> Colours:
    """R * 65536 + G * 256 + B of colours uint8 [H, W, 3], as int32 [H, W]."""
    bytes_up = np.zeros((*colours.shape[:-1], 4), np.uint8)
    bytes_up[..., :3] = colours[..., ::-1]
    return np.asarray(bytes_up.view("<i4")[..., 0], np.int32)


def colours_of(path: Path) -> frozenset[int]:
    """The colours that occur in a file.

    Raises:
        InputError: it cannot be read, or has too many colours for a picture of regions.
    """
    flat = pack(mask_images.read_colours(path)).ravel()
    # Regions are large: where a colour begins there are few pixels to sort.
    begins = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    found = frozenset(np.unique(flat[np.append(0, begins)]).tolist())
    if len(found) > MOST_REGIONS:
        raise InputError(
            f"{path}: holds {len(found)} colours, too many for a picture of regions; was it "
            "smoothed or a JPEG once? Give the annotation of the benchmark itself"
        )
    return found


def choose_regions(truth: SequenceTruth, found: Sequence[frozenset[int]]) -> Regions:
    """What the colours of a sequence mean, from those found in each of its annotated frames.

    The background is black where a frame has black, else white. Without a Def file every
    colour is a region, whites together.

    Raises:
        InputError: a colour is not in the Def file, there is neither black nor white, or
            nothing but background.
    """
    union = frozenset[int]().union(*found)
    whites = frozenset(colour for colour in union if _is_white(colour))
    folder = next(iter(truth.frames.values()))[0].parent
    if BLACK not in union and not whites:
        raise InputError(
            f"{folder}: no annotated frame has black or white pixels, so there is no background; "
            "give annotations with one of them around the objects"
        )
    background = BLACK if BLACK in union else WHITE
    if union <= ({BLACK} if background == BLACK else whites):
        raise InputError(
            f"{folder}: the annotated frames show nothing but background; "
            "is this the folder of the annotations?"
        )
    if truth.colours is None:
        merged = union if background == BLACK else (union - whites) | {WHITE}
        return Regions(tuple(sorted(merged)), background)
    for files, colours in zip(truth.frames.values(), found, strict=True):
        if unlisted := sorted(colours - set(truth.colours)):
            raise InputError(
                f"{files[0]}: the colour {_shown(unlisted[0])} is none of the Def file beside it; "
                "get both again from the benchmark, or move the Def file away"
            )
    return Regions(tuple(sorted(truth.colours)), background)


def white_and_black(found: Sequence[frozenset[int]]) -> bool:
    """Whether both colours that may be background occur in a sequence."""
    union = frozenset[int]().union(*found)
    return BLACK in union and any(_is_white(colour) for colour in union)


def read_annotated(files: tuple[Path, ...], regions: Regions) -> AnnotatedPixels:
    """Read one annotated frame.

    Raises:
        InputError: a file cannot be read, or the confidence has another size.
    """
    picture = mask_images.read_colours(files[0])
    colours = pack(picture)
    if regions.background == BLACK:
        foreground = colours != BLACK
    else:
        foreground = np.any(picture <= NEAR_WHITE, axis=2)
        if WHITE in regions.colours:
            colours[~foreground] = WHITE
    places = np.searchsorted(np.array(regions.colours, np.int32), colours)
    return AnnotatedPixels(places, foreground, _read_weights(files, colours.shape))


def _read_weights(files: tuple[Path, ...], shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    if len(files) == 1:
        return None
    weights = mask_images.read_colours(files[1])[..., 0] / 255
    if weights.shape != shape:
        raise InputError(
            f"{files[1]}: the confidence has another size than {files[0].name}; "
            "get both again from the benchmark"
        )
    return np.asarray(weights)


def _is_white(colour: int) -> bool:
    return min(colour >> 16, colour >> 8 & 255, colour & 255) > NEAR_WHITE


def _shown(colour: int) -> str:
    return f"({colour >> 16}, {colour >> 8 & 255}, {colour & 255})"
