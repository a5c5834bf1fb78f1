"""`moseg data`: data sets to train on, prepared, checked and made smaller."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from moseg.cli.counting import Counting
from moseg.cli.errors import RESUMES, ending_in_one_line
from moseg.core.errors import ConfigError, MosegError
from moseg.motion.datasets import prepare_dynamic_replica, prepare_hoi4d
from moseg.motion.datasets.check import check_scene
from moseg.motion.datasets.clean import find_cleanings
from moseg.motion.datasets.mixing import DATASETS
from moseg.motion.datasets.preparing import Job
from moseg.motion.datasets.scenes import Dataset, Reading

app = typer.Typer()

FAILED = MosegError.exit_code

Layout = StrEnum("Layout", {name: name for name in DATASETS})  # type: ignore[misc]

Root = Annotated[Path, typer.Argument(metavar="ROOT", help="The folder of the data set.")]
Kind = Annotated[Layout, typer.Option("--layout", "-l", help="Which data set it is.")]
Split = Annotated[str | None, typer.Option("--split", help="Which part, where there are several.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]


@app.callback(invoke_without_command=True)
def show_help(context: typer.Context) -> None:
    """Prepare, check and shrink data sets that the track classifier is trained on.

    Depth, tracks and features are made by run_inference.py, with dinos.maps: full.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def hoi4d(
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="Folder with HOI4D_release/ and HOI4D_annotations/."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the scenes are put.")],
    every: Annotated[
        int, typer.Option("--every", min=1, help="Of so many frames one is taken.")
    ] = prepare_hoi4d.EVERY,
    dry_run: DryRun = False,
) -> None:
    """Copy frames and masks of HOI4D: OUT/images/00000/, OUT/dynamic_masks/00000/.

    Stopped, the same command goes on from there.
    """
    numbers = prepare_hoi4d.number_videos(source, out, every)
    jobs = prepare_hoi4d.jobs(source, out, numbers)
    if dry_run:
        _tell(jobs)
    else:
        numbers.save(out)
        _work(jobs)


@app.command("dynamic-replica")
def dynamic_replica(root: Root, split: Split = "train", dry_run: DryRun = False) -> None:
    """Find what moves in Dynamic Replica: ROOT/SPLIT/SEQUENCE/dynamic_masks/.

    The authors' files stay as they are. Stopped, the same command goes on from there.
    """
    jobs = prepare_dynamic_replica.jobs(root / split if split else root)
    if dry_run:
        _tell(jobs)
    else:
        _work(jobs)


@app.command()
def check(
    root: Root,
    layout: Kind,
    split: Split = None,
    depth: Annotated[bool, typer.Option(help="Whether depth is needed.")] = True,
    features: Annotated[bool, typer.Option(help="Whether features are needed.")] = True,
) -> None:
    """Look whether every scene has all that training reads; a line for each thing missing."""
    dataset = _open(root, layout, split, Reading(depth=depth, features=features))
    bad = 0
    with Counting("checking") as counting:
        for done, scene in enumerate(dataset.scenes, start=1):
            problems = check_scene(dataset, scene)
            for problem in problems:
                print(f"error: {scene}: {problem}", file=sys.stderr)
            bad += bool(problems)
            counting.update(done, len(dataset))
    typer.echo(f"{len(dataset) - bad} of {len(dataset)} scenes are complete")
    raise typer.Exit(FAILED if bad else 0)


@app.command()
def clean(
    root: Root,
    layout: Kind,
    split: Split = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Pack features into .h5, and delete folders that training does not read.

    All of them are listed first, and nothing is done before you agree.
    """
    cleanings = list(find_cleanings(_open(root, layout, split, Reading())))
    for cleaning in cleanings:
        typer.echo(cleaning.line)
    if dry_run or not cleanings:
        typer.echo(f"{len(cleanings)} to do; nothing was changed")
        return
    if not yes:
        _ask(len(cleanings))
    _work([Job(str(cleaning.path), cleaning.line, cleaning.run) for cleaning in cleanings])


def _open(root: Path, layout: Layout, split: str | None, reading: Reading) -> Dataset:
    kind = DATASETS[layout.value]
    return kind(root, split or next(iter(kind.splits), None), reading)


def _ask(count: int) -> None:
    """Go on only if a person says yes.

    Raises:
        ConfigError: they do not, or nobody is there.
    """
    try:
        agreed = typer.confirm(
            f"{count} to do; a deleted folder is gone for good. Go on?", err=True
        )
    except typer.Abort:
        agreed = False
    if not agreed:
        raise ConfigError("nothing was changed; answer y, or give --yes")


def _tell(jobs: Sequence[Job]) -> None:
    """Say what would be done."""
    for job in jobs:
        typer.echo(f"{job.scene}: {job.plan}")
    typer.echo(f"{len(jobs)} to do; nothing was changed")


def _work(jobs: Sequence[Job]) -> None:
    """Do all, also after one that failed; leave with its exit code."""
    failed = 0
    with ending_in_one_line(RESUMES), Counting("working") as counting:
        for done, job in enumerate(jobs, start=1):
            try:
                typer.echo(f"{job.scene}: {job.work()}")
            except MosegError as error:
                print(f"error: {job.scene}: {error}", file=sys.stderr)
                failed += 1
            counting.update(done, len(jobs))
    typer.echo(f"{len(jobs) - failed} done, {failed} failed")
    raise typer.Exit(FAILED if failed else 0)
