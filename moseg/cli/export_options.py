"""What all commands of `moseg export` share: options, and what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from moseg.core.errors import ConfigError
from moseg.evaluation.sequence_lists import parse_sequences
from moseg.export.clips import MaskClip, find_clips
from moseg.export.reshape import Reshape
from moseg.export.written import Written

Pred = Annotated[
    Path,
    typer.Option(
        "--pred", help="Masks: an output of moseg run, a --sam2dir, or PRED/SCENE/FRAME.png."
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder that is written to.")]
Images = Annotated[
    Path | None,
    typer.Option(
        "--images",
        help="Frames: of one scene, or a folder with an image folder or video for each scene. "
        "Default: the source that PRED/run.json names.",
    ),
]
Scenes = Annotated[
    str | None,
    typer.Option("--scenes", help="Names with commas, or a file with one name a line."),
]
Grow = Annotated[
    int, typer.Option("--grow", min=0, metavar="PX", help="Grow objects by so many pixels.")
]
Shrink = Annotated[
    int, typer.Option("--shrink", min=0, metavar="PX", help="Shrink objects by so many pixels.")
]
Invert = Annotated[bool, typer.Option("--invert", help="Swap the two values of the form.")]


def clips_of(pred: Path, images: Path | None, scenes: str | None) -> list[MaskClip]:
    """The scenes that --pred, --images and --scenes name.

    Raises:
        InputError: as `find_clips`.
    """
    return find_clips(pred, images, None if scenes is None else parse_sequences(scenes))


def shape_of(grow: int, shrink: int, invert: bool) -> Reshape:
    """The shape that --grow, --shrink and --invert ask for.

    Raises:
        ConfigError: --grow and --shrink are both given.
    """
    if grow and shrink:
        raise ConfigError(f"--grow {grow} and --shrink {shrink} are opposites: give one of them")
    return Reshape(grow - shrink, invert)


def tell(written: Written, more: Sequence[str]) -> None:
    """Print where the export is and, as `more`, what a person should know of it."""
    for path in written.paths:
        typer.echo(str(path))
    for note in (*written.notes, *more):
        typer.echo(f"note: {note}", err=True)
