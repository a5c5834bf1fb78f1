"""`moseg export FORM`: predicted masks in the forms that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moseg.cli import export_media
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
from moseg.core.errors import ConfigError
from moseg.export.binary import write_binary
from moseg.export.colmap import write_colmap
from moseg.export.davis import write_davis
from moseg.export.fbms_tracks import write_fbms_tracks
from moseg.export.instant_ngp import write_instant_ngp
from moseg.export.mots import write_mots
from moseg.export.nerfstudio import write_nerfstudio, write_nerfstudio_data
from moseg.export.shape_notes import shape_notes
from moseg.export.transforms import read_transforms

app = typer.Typer()


@app.callback(invoke_without_command=True)
def show_help(context: typer.Context) -> None:
    """Write masks in the form that another program reads.

    moseg export FORM --help says its polarity, names and ids.

    Frames of a video are named 00000, 00001, ... For programs that want
    images, extract them under these names and give --images frames:

    ffmpeg -i clip.mp4 -fps_mode passthrough -start_number 0 frames/%05d.png
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def davis(
    pred: Pred,
    out: Out,
    scenes: Scenes = None,
    grow: Grow = 0,
    shrink: Shrink = 0,
) -> None:
    """DAVIS-2017 unsupervised: OUT/SCENE/FRAME.png, palette PNG of object ids.

    0 is background; the ids are 1, 2, ... without gaps. At most 20 objects:
    those of the largest area over all frames; what is left out is told.
    """
    clips, shape = clips_of(pred, None, scenes), shape_of(grow, shrink, False)
    tell(write_davis(clips, out, shape), shape_notes(clips, shape))


@app.command()
def binary(
    pred: Pred,
    out: Out,
    scenes: Scenes = None,
    grow: Grow = 0,
    shrink: Shrink = 0,
    invert: Invert = False,
) -> None:
    """Black and white: OUT/SCENE/FRAME.png, one channel, 255 what moves, 0 the rest."""
    clips, shape = clips_of(pred, None, scenes), shape_of(grow, shrink, invert)
    tell(write_binary(clips, out, shape), shape_notes(clips, shape))


@app.command()
def colmap(
    pred: Pred,
    out: Out,
    images: Images = None,
    scenes: Scenes = None,
    grow: Grow = 0,
    shrink: Shrink = 0,
    invert: Invert = False,
) -> None:
    """COLMAP: OUT/SCENE/IMAGE.png, one channel, 0 what moves (ignored), 255 the rest.

    The name is that of the image with .png added: 00001.jpg.png.
    Every image needs a mask.

    One scene: colmap feature_extractor --image_path IMAGES
    --ImageReader.mask_path OUT/SCENE, with IMAGES the scene's own folder.
    Several: --image_path the parent of the image folders, which are named
    like the scenes, and --ImageReader.mask_path OUT.

    --grow 3 also keeps features off the very edge of what moves.
    """
    clips, shape = clips_of(pred, images, scenes), shape_of(grow, shrink, invert)
    tell(write_colmap(clips, out, shape), shape_notes(clips, shape))


@app.command()
def nerfstudio(
    pred: Pred,
    out: Out,
    images: Images = None,
    scenes: Scenes = None,
    transforms: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="transforms.json of the scene: a copy with masks is written."
        ),
    ] = None,
    grow: Grow = 0,
    shrink: Shrink = 0,
    invert: Invert = False,
) -> None:
    """nerfstudio: OUT/SCENE/masks/FRAME.png, one channel, 0 what moves (ignored), 255 the rest.

    Every frame has a mask. masks_2, masks_4 and masks_8 hold smaller ones
    (nearest pixel), of the size of images_2, ... beside the images; without
    these, of the size divided by 2, 4, 8 and rounded down.

    With --transforms FILE, of one scene, they lie in OUT itself, beside
    OUT/transforms_masked.json: a copy of FILE with a mask_path for each
    frame, found by the name of its image; leave out --images. All frames of
    FILE need a mask; other content is kept, paths are rewritten to hold from
    OUT.
    Best give FILE's own folder as OUT, where nerfstudio finds images_2, ...:
    ns-train METHOD --data OUT/transforms_masked.json
    """
    if images is not None and transforms is not None:
        raise ConfigError("--transforms names the images itself: leave out --images")
    clips, shape = clips_of(pred, images, scenes), shape_of(grow, shrink, invert)
    if transforms is None:
        tell(write_nerfstudio(clips, out, shape), shape_notes(clips, shape))
        return
    if len(clips) > 1:
        raise ConfigError(
            f"--transforms is of one scene, and {pred} has {len(clips)}: choose one with --scenes"
        )
    written = write_nerfstudio_data(clips[0], out, shape, read_transforms(transforms))
    tell(written, shape_notes(clips, shape))


@app.command("instant-ngp")
def instant_ngp(
    pred: Pred,
    out: Out,
    images: Images = None,
    scenes: Scenes = None,
    grow: Grow = 0,
    shrink: Shrink = 0,
    invert: Invert = False,
) -> None:
    """instant-ngp: OUT/SCENE/dynamic_mask_IMAGE.png, one channel, 255 what moves (ignored), 0 else.

    IMAGE is the name of the image without its suffix; every image has one.
    instant-ngp looks for them beside the images, so copy them there:
    cp OUT/SCENE/dynamic_mask_* IMAGES/
    """
    clips, shape = clips_of(pred, images, scenes), shape_of(grow, shrink, invert)
    tell(write_instant_ngp(clips, out, shape), shape_notes(clips, shape))


@app.command()
def mots(
    pred: Pred,
    out: Out,
    scenes: Scenes = None,
    class_id: Annotated[
        int, typer.Option("--class", help="Class of all objects; in MOTS 1 car, 2 pedestrian.")
    ] = 1,
    grow: Grow = 0,
    shrink: Shrink = 0,
) -> None:
    """KITTI MOTS, MOTSChallenge: OUT/SCENE/FRAME.png, 16 bits, class * 1000 + object id.

    0 is background. Ids are those of the masks, at most 255; MOTS has room
    for 999. Scenes and frames keep their names: KITTI's are 0000/000000.
    """
    clips, shape = clips_of(pred, None, scenes), shape_of(grow, shrink, False)
    tell(write_mots(clips, out, shape, class_id), shape_notes(clips, shape))


@app.command("fbms-tracks")
def fbms_tracks(
    pred: Pred,
    out: Out,
    gt: Annotated[Path, typer.Option(help="Truth of FBMS-59: says which frames are annotated.")],
    scenes: Scenes = None,
    frames: Annotated[
        int | None, typer.Option(help="10, 50 or 200: only the first so many. Default: all.")
    ] = None,
    grow: Grow = 0,
    shrink: Shrink = 0,
) -> None:
    """Point tracks for the tool of FBMS-59: OUT/SCENE/TracksN.dat, N the number of frames.

    Each pixel of an annotated frame is a track of one point. Label 0 is
    background; objects are 1, 2, ... without gaps. Frames count from 0, so
    the masks must be those of all frames of the sequence. Masks of another
    size than the truth are brought to it, nearest pixel. Sequences shorter
    than --frames are left out, as by the tool. Files are large: about 15
    bytes a pixel.
    """
    clips, shape = clips_of(pred, None, scenes), shape_of(grow, shrink, False)
    tell(write_fbms_tracks(clips, gt, out, shape, frames), shape_notes(clips, shape))


app.command("coco")(export_media.coco)
app.command("youtube-vis")(export_media.youtube_vis)
app.command("green-screen")(export_media.green_screen)
app.command("alpha")(export_media.alpha)
app.command("prores")(export_media.prores)
