"""`moseg checkpoints`: the weights of networks, listed, fetched, checked and converted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from moseg.checkpoints.download import check_licence, download, take
from moseg.checkpoints.manifest import Entry
from moseg.checkpoints.packages import require_packages
from moseg.checkpoints.store import Store, open_store
from moseg.cli.transfer import Transfer
from moseg.core.errors import ConfigError, MosegError

app = typer.Typer()

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="See moseg checkpoints list.")]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust", help="Take the file for the right one though it differs from the one first seen."
    ),
]


@app.callback(invoke_without_command=True)
def show_help(context: typer.Context) -> None:
    """List, fetch, check and convert the weights of networks.

    They lie in the folder MOSEG_CHECKPOINTS, else in checkpoints/ of the source tree, else in
    ~/.cache/moseg/checkpoints.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def list_all() -> None:
    """Show every checkpoint that moseg knows, and which are here."""
    store = open_store()
    table = Table("name", "for", "about", "licence", "here", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for entry in store.manifest.checkpoints:
        star = "*" if entry.licence.non_commercial else ""
        here = "" if store.find(entry) is None else "yes"
        size = f"{entry.megabytes:.0f} MB"
        table.add_row(entry.name, entry.purpose, size, entry.licence.name + star, here)
    Console().print(table)
    typer.echo("* not for commercial use: needs --accept-licence")
    typer.echo(f"folder: {store.folder}")


@app.command("download")
def fetch(
    names: Names,
    accept: Annotated[
        bool,
        typer.Option("--accept-licence", help="Accept a licence that forbids commercial use."),
    ] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE|FOLDER", help="Copy what you have instead of fetching it."
        ),
    ] = None,
    trust: Trust = False,
) -> None:
    """Fetch checkpoints from their authors, or from the mirror MOSEG_CHECKPOINT_MIRROR.

    Stopped or cut off, the same command goes on from there.
    """
    if source is not None and len(names) > 1:
        raise ConfigError("--from gives one checkpoint: name one")
    store = open_store()
    entries = [store.entry(name) for name in names]
    for entry in entries:
        check_licence(entry, accept)
    _one_by_one([partial(_bring, store, entry, source, trust) for entry in entries])


@app.command("verify")
def verify_all(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|PATH]...", help="Names or paths.", show_default="all here"),
    ] = None,
    trust: Trust = False,
) -> None:
    """Read checkpoints whole: the digest is right, and every tensor fits its network."""
    require_packages("checks of checkpoints")
    store = open_store()
    here = [entry.name for entry in store.manifest.checkpoints if store.find(entry) is not None]
    if not names and not here:
        raise ConfigError(f"no checkpoint is in {store.folder}; see moseg checkpoints list")
    _one_by_one([partial(_verify, store, name, trust) for name in names or here])


@app.command("convert")
def convert_one(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="An official checkpoint.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="NAME.safetensors, or a folder.")],
    causal: Annotated[
        bool | None,
        typer.Option(
            "--causal/--no-causal", help="Of a TAPIR FILE: whether it is one of the online ones."
        ),
    ] = None,
) -> None:
    """Convert an official file: to safetensors with metadata, or to a save_pretrained folder."""
    require_packages("conversions")
    from moseg.checkpoints.convert import convert
    from moseg.checkpoints.weights import read_weights

    store = open_store()
    found = store.checked(name)
    settings = dict(found.entry.settings) if found.entry is not None else {}
    if causal is not None:
        settings["causal"] = str(causal).lower()
    convert(read_weights(found.path, settings), out)
    store.adopt(out)
    typer.echo(f"{out}")


@app.command("path")
def show_path(
    name: Annotated[str, typer.Argument(metavar="NAME", help="See moseg checkpoints list.")],
) -> None:
    """Print where a checkpoint lies."""
    store = open_store()
    typer.echo(str(store.locate(store.entry(name).name)))


def _one_by_one(actions: Sequence[Callable[[], None]]) -> None:
    """Do all, also after one that failed; leave with its exit code."""
    code = 0
    for action in actions:
        try:
            action()
        except MosegError as error:
            print(f"error: {error}", file=sys.stderr)
            code = error.exit_code
    raise typer.Exit(code)


def _bring(store: Store, entry: Entry, source: Path | None, trust: bool) -> None:
    """Fetch or copy one checkpoint, unless the right file is here already."""
    found = store.present(entry)
    if found is not None:
        typer.echo(f"{entry.name}: already here, {found.path}")
        return
    typer.echo(f"{entry.name}: {entry.licence.line}", err=True)
    with Transfer(entry.name) as transfer:
        if source is not None:
            found = take(store, entry, source, transfer.update, trust)
        else:
            found = download(store, entry, transfer.update, trust)
    typer.echo(f"{entry.name}: {found.path}, sha256 {found.sha256}")


def _verify(store: Store, name: str, trust: bool) -> None:
    from moseg.checkpoints.verify import verify

    verdict = verify(store, name, trust)
    typer.echo(
        f"{name}: fits its network, {verdict.tensors} tensors, {verdict.parameters} values, "
        f"sha256 {verdict.checkpoint.sha256}"
    )
