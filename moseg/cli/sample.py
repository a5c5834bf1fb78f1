"""`moseg sample`: a short made-up clip with its truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moseg.sample.clip import Kind
from moseg.sample.write import write_sample


def sample(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the clip and its truth.")],
    kind: Annotated[
        Kind,
        typer.Option(
            help="objects: three things move before a moving camera; static: nothing does; "
            "pan: only the camera does."
        ),
    ] = "objects",
    frames: Annotated[int, typer.Option(help="Number of frames.")] = 60,
    height: Annotated[int, typer.Option(help="Pixels; even.")] = 480,
    width: Annotated[int, typer.Option(help="Pixels; even.")] = 854,
    seed: Annotated[int, typer.Option(help="Another seed gives another clip.")] = 0,
) -> None:
    """Make a clip of textured objects over a moving background, and the true masks."""
    files = write_sample(out, kind, frames, height, width, seed)
    typer.echo(f"clip: {files.video}")
    typer.echo(f"truth: {files.truth}")
