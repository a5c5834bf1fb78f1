"""`moseg simulate`: made-up scenes with truth, to learn from and to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moseg.core.errors import ConfigError
from moseg.pipeline.simulated_folder import Simulation, parse_size, write_preview, write_tracks


def simulate(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the scenes.")],
    scenes: Annotated[int, typer.Option(help="Number of scenes.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of the first scene; the others follow.")] = 0,
    kinds: Annotated[
        str,
        typer.Option(
            help="training: what the track classifier learns from; "
            "held-out: other cameras, places, bodies, motions and effects, to test it on."
        ),
    ] = "training",
    frames: Annotated[int, typer.Option(help="Frames of a scene.")] = 16,
    size: Annotated[str, typer.Option(help="Width and height in pixels.")] = "224x128",
    preview: Annotated[
        bool,
        typer.Option(help="Also draw each scene: frames, tracks by truth, disparity."),
    ] = False,
) -> None:
    """Simulate scenes: tracks with truth as SEED.npz and, if asked for, a picture as SEED.png."""
    if scenes < 1 or seed < 0:
        raise ConfigError(f"{scenes} scenes from seed {seed}: use at least 1, and a seed from 0 on")
    simulation = Simulation(kinds, frames, parse_size(size))
    for number in range(seed, seed + scenes):
        written = [write_tracks(out, simulation, number)]
        if preview:
            written.append(write_preview(out, simulation, number))
        typer.echo(f"{', '.join(path.name for path in written)}")
    typer.echo(f"scenes: {out}")
