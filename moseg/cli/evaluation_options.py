"""What the commands of `moseg eval` share: options, and the answer to an unknown protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from moseg.core.errors import ConfigError
from moseg.evaluation.frame_rules import FrameRuleName

_SEQUENCES = "A file with one name a line, a list such as davis16-val, or names with commas."

Pred = Annotated[
    Path, typer.Option(help="Masks: a folder of sequence folders, or an output of moseg run.")
]
Truth = Annotated[
    Path, typer.Option(help="Truth: a folder of sequence folders, or the root of the data set.")
]
Sequences = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|NAME|A,B",
        help=_SEQUENCES,
        show_default="the protocol's list, or all of a truth that lacks some of it",
    ),
]
SequencesOfTracks = Annotated[
    str | None,
    typer.Option(
        "--sequences",
        metavar="FILE|NAME|A,B",
        help=_SEQUENCES,
        show_default="all of the truth",
    ),
]
Threshold = Annotated[
    float, typer.Option(help="Probability above which a track moves, from 0 to below 1.")
]
TracksHome = Annotated[
    Path | None,
    typer.Option(
        "--tracks",
        help="Where the tracks are: of run_inference.py the parent of the image folder.",
        show_default="PRED",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="Folder for JSON, CSV, a LaTeX row and pictures of the worst frames."
    ),
]
Images = Annotated[
    Path | None,
    typer.Option(
        help="Frames of the videos, for the pictures of --out: a folder of sequence folders, or a "
        "root like that of DAVIS.",
        show_default="looked for beside the truth",
    ),
]
Worst = Annotated[int, typer.Option(min=0, help="How many of the worst frames are shown.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes.", show_default="one for each core")
]
Method = Annotated[
    str | None,
    typer.Option(
        "--name", help="Name in the LaTeX row of --out.", show_default="that of the folder PRED"
    ),
]
Frames = Annotated[
    FrameRuleName,
    typer.Option(
        help="Which frames count: all but the first and the last (davis16), all, or all but the "
        "first, and for recall and decay also the last (mtnet)."
    ),
]


@dataclass(frozen=True)
class Request:
    """What a person asked for, whatever the protocol."""

    pred: Path
    gt: Path
    sequences: str | None
    out: Path | None
    images: Path | None
    worst: int
    workers: int | None
    name: str | None


class Protocols(TyperGroup):
    """The commands; an unknown one is answered with their names."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a name; none while a shell completes what is typed.

        Raises:
            ConfigError: there is none.
        """
        command = super().get_command(ctx, cmd_name)
        if command is None and not ctx.resilient_parsing:
            names = ", ".join(self.list_commands(ctx))
            raise ConfigError(f"unknown protocol {cmd_name!r}; choose one of {names}")
        return command
