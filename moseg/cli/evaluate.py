"""`moseg eval`: scores of predicted masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from moseg.core.cache import write_atomically
from moseg.core.errors import ConfigError
from moseg.evaluation.davis16 import FrameRuleName, evaluate_davis16
from moseg.evaluation.mask_folders import parse_sequences
from moseg.evaluation.report import report_csv, report_json, report_table

PROTOCOLS = ("davis16",)


def evaluate(
    protocol: Annotated[str, typer.Argument(metavar="PROTOCOL", help="davis16")],
    pred: Annotated[
        Path, typer.Option(help="Masks: PRED/SEQUENCE/FRAME.png, or an output of moseg run.")
    ],
    gt: Annotated[
        Path, typer.Option(help="Truth: GT/SEQUENCE/FRAME.png, or the root of DAVIS-2016.")
    ],
    sequences: Annotated[
        str | None, typer.Option(help="Names with commas, or a file with one name a line.")
    ] = None,
    frames: Annotated[
        FrameRuleName,
        typer.Option(help="Which frames count: the benchmark's rule leaves out first and last."),
    ] = "davis16",
    out: Annotated[
        Path | None, typer.Option(help="Folder for davis16.json and davis16.csv.")
    ] = None,
) -> None:
    """Score masks: region similarity J and boundary accuracy F."""
    if protocol not in PROTOCOLS:
        raise ConfigError(f"unknown protocol '{protocol}': choose {' or '.join(PROTOCOLS)}")
    names = parse_sequences(sequences) if sequences is not None else None
    report = evaluate_davis16(pred, gt, names, frames)
    Console().print(report_table(report))
    if out is not None:
        text = json.dumps(report_json(report), indent=1) + "\n"
        write_atomically(out / "davis16.json", text)
        write_atomically(out / "davis16.csv", report_csv(report))
