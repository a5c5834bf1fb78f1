"""COCO instances: one JSON file, an image entry for each frame, a code for each object in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moseg.core.cache import write_atomically
from moseg.export.clips import MaskClip
from moseg.export.instances import INFO, MOVING, Category, file_names, name_notes, objects
from moseg.export.places import refuse_source
from moseg.export.reshape import Reshape
from moseg.export.rle import bounding_box, encode
from moseg.export.written import Written

FILE = "instances.json"


def write_coco(
    clips: Sequence[MaskClip],
    out: Path,
    shape: Reshape,
    category: Category = MOVING,
) -> Written:
    """Write `out/instances.json`, with compressed run-length codes.

    `file_name` is `SCENE/FILE`. Ids of images and annotations count from 1. `track_id` is the
    object's id in the masks, the same in all frames of its `video_id`. What COCO itself does not
    have: `videos`, and of images `video_id` and `frame_id` (from 0).

    Raises:
        ConfigError: `shape` is to be inverted; ids have no opposite.
        InputError: a mask cannot be read, or images are known and others than the masks are of.
        OutputError: the place cannot be written.
    """
    shape.refuse_invert("coco")
    for clip in clips:
        refuse_source(out, clip)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for video_id, clip in enumerate(clips, 1):
        names = file_names(clip)
        for frame_id, (_, labels) in enumerate(clip.all_labels()):
            height, width = labels.shape
            image = {"id": len(images) + 1, "file_name": names[frame_id]}
            image |= {"width": width, "height": height}
            images.append(image | {"video_id": video_id, "frame_id": frame_id})
            for number, mask in objects(shape.labels(labels)):
                place = {"id": len(annotations) + 1, "image_id": len(images)}
                drawn = {
                    "segmentation": encode(mask),
                    "area": int(np.count_nonzero(mask)),
                    "bbox": bounding_box(mask),
                }
                kind = {"category_id": category.id, "iscrowd": 0, "track_id": number}
                annotations.append(place | kind | drawn)
    content = {
        "info": INFO,
        "videos": [{"id": i, "name": clip.name} for i, clip in enumerate(clips, 1)],
        "categories": [category.to_json()],
        "images": images,
        "annotations": annotations,
    }
    write_atomically(out / FILE, json.dumps(content) + "\n")
    return Written((out / FILE,), tuple(name_notes(clips)))
