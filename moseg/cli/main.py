"""The `moseg` command: parses, calls, prints; no logic of its own."""

from __future__ import annotations

import typer

from moseg.cli import evaluate, run, sample
from moseg.cli.errors import ending_in_one_line
from moseg.version import __version__

app = typer.Typer(
    name="moseg",
    help="Any video in, masks of what moves out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("eval")(evaluate.evaluate)
app.command("sample")(sample.sample)


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    """Any video in, masks of what moves out."""
    if show:
        typer.echo(f"moseg {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    with ending_in_one_line():
        app()
