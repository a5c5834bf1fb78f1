"""What the JSON forms share: names of images, categories, objects of a frame, scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moseg.export.clips import Labels, MaskClip

INFO = {"description": "masks of what moves, found by moseg"}
Scores = dict[str, dict[int, float]]
"""Scene name -> object id -> score, 0 to 1."""


@dataclass(frozen=True)
class Category:
    """What every object is said to be: masks of motion know no classes."""

    id: int = 1
    name: str = "moving object"

    def to_json(self) -> dict[str, Any]:
        """The entry of `categories`."""
        return {"id": self.id, "name": self.name, "supercategory": "object"}


MOVING = Category()


def file_names(clip: MaskClip) -> list[str]:
    """`SCENE/FILE` of the image of each mask; of the mask itself where no images are known.

    Raises:
        InputError: images are known, but are others than the masks are of.
    """
    if clip.images is None:
        return [f"{clip.name}/{path.name}" for path in clip.files.values()]
    files = clip.known_images().files
    return [f"{clip.name}/{files[frame]}" for frame in clip.files]


def name_notes(clips: Sequence[MaskClip]) -> list[str]:
    """A sentence where `file_names` had no images to name."""
    bare = [clip.name for clip in clips if clip.images is None]
    if not bare:
        return []
    return [
        f"of {len(bare)} of {len(clips)} scenes the images are not known, and file_name is that "
        "of the mask; name the images with --images"
    ]


def objects(labels: Labels) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Id and mask bool [H, W] of each object in ids uint8 [H, W], in rising order."""
    for number in np.unique(labels):
        if number:
            yield int(number), labels == number


def object_scores(pred: Path) -> Scores:
    """How sure the run was of each object, as `run.json` in its output tells; else nothing."""
    try:
        run = json.loads((pred / "run.json").read_text(encoding="utf-8"))
        return {
            str(scene["name"]): {
                int(found["id"]): float(found["score"]) for found in scene.get("objects") or ()
            }
            for scene in run["scenes"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
