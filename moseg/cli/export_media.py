"""The commands of `moseg export` that write JSON with run-length codes, and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moseg.cli.export_options import (
    Grow,
    Images,
    Invert,
    Out,
    Pred,
    Scenes,
    Shrink,
    clips_of,
    shape_of,
    tell,
)
from moseg.export.coco import write_coco
from moseg.export.cutout import write_alpha, write_prores
from moseg.export.green_screen import parse_colour, write_green_screen
from moseg.export.instances import MOVING, Category, object_scores
from moseg.export.shape_notes import shape_notes
from moseg.export.youtube_vis import read_videos, write_youtube_vis

CategoryId = Annotated[int, typer.Option("--category-id", help="Category of every object.")]
CategoryName = Annotated[str, typer.Option("--category", help="Its name.")]


def coco(
    pred: Pred,
    out: Out,
    images: Images = None,
    scenes: Scenes = None,
    category_id: CategoryId = MOVING.id,
    category: CategoryName = MOVING.name,
    grow: Grow = 0,
    shrink: Shrink = 0,
) -> None:
    """COCO instances: OUT/instances.json, an image entry a frame, compressed run-length codes.

    file_name is SCENE/FILE, of the image where it is known, else of the mask.
    All objects are of one category. track_id is the object's id in the masks,
    the same in all frames of a video_id. Boxes are left, top, width, height;
    areas are in pixels.
    """
    clips, shape = clips_of(pred, images, scenes), shape_of(grow, shrink, False)
    kind = Category(category_id, category)
    tell(write_coco(clips, out, shape, kind), shape_notes(clips, shape))


def youtube_vis(
    pred: Pred,
    out: Out,
    images: Images = None,
    scenes: Scenes = None,
    videos: Annotated[
        Path | None,
        typer.Option(
            "--videos",
            metavar="FILE",
            help="The data set's own JSON file: its video ids and frames are used. "
            "Needed for its server. Default: ids from 1, every frame.",
        ),
    ] = None,
    category_id: CategoryId = MOVING.id,
    category: CategoryName = MOVING.name,
    grow: Grow = 0,
    shrink: Shrink = 0,
) -> None:
    """YouTube-VIS: OUT/instances.json, annotations, and OUT/results.json, what its server reads.

    One entry an object, with a compressed run-length code or null for each
    frame of its video. Scores are those in PRED/run.json, else 1.0. For the
    server, zip results.json.
    """
    clips, shape = clips_of(pred, images, scenes), shape_of(grow, shrink, False)
    listed = None if videos is None else read_videos(videos)
    kind = Category(category_id, category)
    written = write_youtube_vis(clips, out, shape, kind, object_scores(pred), listed)
    tell(written, shape_notes(clips, shape))


def green_screen(
    pred: Pred,
    out: Out,
    images: Images = None,
    scenes: Scenes = None,
    colour: Annotated[
        str,
        typer.Option("--colour", help="RRGGBB, or green, blue, magenta, black, white."),
    ] = "green",
    grow: Grow = 0,
    shrink: Shrink = 0,
    invert: Invert = False,
) -> None:
    """Green screen: OUT/SCENE_green_screen.mp4, H.264: what moves, all else in one colour.

    --invert: all but what moves. Times are those of the source; there is no
    sound. An odd width or height is one larger. Edges carry some of the colour
    for a pixel: where that shows, use prores.
    """
    clips, shape = clips_of(pred, images, scenes), shape_of(grow, shrink, invert)
    tell(write_green_screen(clips, out, shape, parse_colour(colour)), shape_notes(clips, shape))


def alpha(
    pred: Pred,
    out: Out,
    images: Images = None,
    scenes: Scenes = None,
    grow: Grow = 0,
    shrink: Shrink = 0,
    invert: Invert = False,
) -> None:
    """MP4 with alpha: OUT/SCENE_alpha.mp4, each frame a PNG; exact, and large.

    Alpha is 255 where something moves, 0 elsewhere (--invert: the other way
    round); no soft edge is made up. It is straight: colours are those of the
    source, also under alpha 0, so the file still holds all of the picture.
    Times are those of the source; there is no sound. FFmpeg and what is built
    on it read the file; browsers and most editors do not: for them, use prores.
    """
    clips, shape = clips_of(pred, images, scenes), shape_of(grow, shrink, invert)
    tell(write_alpha(clips, out, shape), shape_notes(clips, shape))


def prores(
    pred: Pred,
    out: Out,
    images: Images = None,
    scenes: Scenes = None,
    grow: Grow = 0,
    shrink: Shrink = 0,
    invert: Invert = False,
) -> None:
    """ProRes 4444 with alpha, for editors: OUT/SCENE_prores.mov; large.

    Alpha is full where something moves, 0 elsewhere (--invert: the other way
    round); no soft edge is made up. It is straight (unmatted), not
    premultiplied: colours are those of the source, also under alpha 0, so the
    file still holds all of the picture. Times are those of the source; there is
    no sound. BT.709.
    """
    clips, shape = clips_of(pred, images, scenes), shape_of(grow, shrink, invert)
    tell(write_prores(clips, out, shape), shape_notes(clips, shape))
