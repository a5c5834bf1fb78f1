"""`moseg train`: weights of a network, from a file of settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from moseg.cli.errors import ending_in_one_line
from moseg.pipeline.training import load_training
from moseg.pipeline.training import train as train_network

STOPPED = "stopped; run the same command with --resume to go on from the last checkpoint"


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="YAML file, such as one of configs/train.")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as steps=400."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results.", show_default="the file's"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training in the folder.")
    ] = False,
) -> None:
    """Train a network.

    Writes OUT/best.safetensors, the weights that the validation found best; OUT/last.ckpt, from
    which --resume goes on; OUT/config.yaml, OUT/metrics.csv, OUT/curves.png and OUT/examples/.
    """
    with ending_in_one_line(STOPPED):
        chosen = load_training(config, settings or [], out)
        lines = train_network(chosen, resume, say)
    for line in lines:
        typer.echo(line)


def say(line: str) -> None:
    """Print a line to standard error, which leaves standard output free for results."""
    print(line, file=sys.stderr, flush=True)
