"""`moseg run`: masks, overlay videos and contact sheets for a person's videos."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from moseg.cli.errors import RESUMES, ending_in_one_line
from moseg.core.progress import Display
from moseg.core.remote.mirror import SCRATCH_GB, is_remote, local_path, open_mirror
from moseg.core.selection import EFFICIENT
from moseg.core.shard import WHOLE, parse_shard
from moseg.pipeline.config import load_config
from moseg.pipeline.place import Place
from moseg.pipeline.report import summarise
from moseg.pipeline.session import Session


def run(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Videos, folders of images, or folders of either. "
            "Put -- before names that begin with a dash.",
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", help="Folder for the results.")],
    preset: Annotated[
        str | None, typer.Option(help="Named settings to start from.", show_default="builtin")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as tracks.spacing=8."),
    ] = None,
    efficient: Annotated[
        bool,
        typer.Option(
            "--e", help="Work on at most 100 evenly spread frames of at most 1000 pixels a side."
        ),
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Delete large working files that no result needs.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Scenes worked on at the same time.", show_default="1; with --ray all cores"
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="local|auto|ray://HOST:PORT",
            help="Spread stages by Ray: over this machine, over the cluster that it is part of, "
            "or over one that is reached from outside.",
        ),
    ] = None,
    scratch: Annotated[
        Path | None,
        typer.Option(
            help="Folder for copies of what lies in a store (s3://).",
            show_default="moseg-<user id> in the system's folder for temporary files",
        ),
    ] = None,
    scratch_gb: Annotated[
        float, typer.Option(help="What these copies may take, in gigabytes.")
    ] = SCRATCH_GB,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Only part I of N of the scenes, for batch systems that run one call for each "
            "part. The report is OUT/run-I-of-N.json then.",
        ),
    ] = None,
) -> None:
    """Turn videos into masks of what moves.

    Writes OUT/masks/SCENE/FRAME.png, OUT/videos/SCENE.mp4, OUT/previews/SCENE.png and
    OUT/run.json. Started again, it goes on where it was stopped.
    """
    limits = [f"frames.{key}={value}" for key, value in asdict(EFFICIENT).items()]
    chosen = load_config(preset, config, [*(limits if efficient else []), *(settings or [])])
    part = WHOLE if shard is None else parse_shard(shard)
    with ending_in_one_line(RESUMES), Display() as display:
        remote = any(is_remote(text) for text in (*inputs, out))
        mirror = open_mirror(scratch, scratch_gb) if remote else None
        sources = tuple(local_path(text, mirror) for text in inputs)
        folder = local_path(out, mirror)
        session = Session(sources, folder, chosen, Place(ray, workers), part, mirror)
        report = session.run(display)
        if clean:
            session.clean(report, display)
        for problem in report.problems:
            display.say(f"error: {problem.error}", "red")
    where = [f"masks: {out}/masks", f"videos: {out}/videos", f"previews: {out}/previews"]
    for line in summarise(report, where):
        typer.echo(line)
    raise typer.Exit(report.exit_code)
