"""The `moseg` command: parses, calls, prints; no logic of its own."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from moseg.cli import checkpoints, data, evaluate, export, run, sample, simulate, train
from moseg.cli.errors import INTERRUPTED, ending_in_one_line
from moseg.core.errors import ConfigError
from moseg.version import __version__

app = typer.Typer(
    name="moseg",
    help="Any video in, masks of what moves out.",
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("sample")(sample.sample)
app.command("train")(train.train)
app.command("simulate")(simulate.simulate)
app.add_typer(evaluate.app, name="eval")
app.add_typer(export.app, name="export")
app.add_typer(checkpoints.app, name="checkpoints")
app.add_typer(data.app, name="data")


@app.callback(invoke_without_command=True)
def version(
    context: typer.Context,
    show: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    """Any video in, masks of what moves out."""
    if show:
        typer.echo(f"moseg {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line and leave with its exit code. Wrong usage exits with code 2."""
    with ending_in_one_line():
        try:
            code = app(prog_name="moseg", standalone_mode=False)
        except TyperException as error:
            context: typer.Context | None = getattr(error, "ctx", None)
            command = context.command_path if context else "moseg"
            message = error.format_message().rstrip(".")
            raise ConfigError(f"{message}; see {command} --help") from error
    if code == INTERRUPTED:  # Typer took the interrupt
        print("stopped", file=sys.stderr)
    sys.exit(code)
