"""What is measured while training: a row a value in a CSV file, and TensorBoard's own log."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from moseg.core.errors import writing_to
from moseg.core.files import published

HEADING = ("step", "name", "value")


class Row(NamedTuple):
    """One value; `name` is `training/...` or `validation/...`, `step` counts steps made."""

    step: int
    name: str
    value: float


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a log, in order; what a killed process left of a last line is not one."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for cells in csv.reader(line for line in text.splitlines(True) if line.endswith("\n")):
        if tuple(cells) != HEADING:
            yield Row(int(cells[0]), cells[1], float(cells[2]))


class Log:
    """Writes values to a CSV file, and for TensorBoard if there is a folder for it.

    Args:
        path: of the CSV file. What it says of later steps is taken out: they are made again.
        step: steps made so far.
        tensorboard: folder; see `has_tensorboard`.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path, step: int, tensorboard: Path | None = None) -> None:
        self._path = path
        kept = [row for row in read_rows(path) if row.step <= step]
        with published(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADING, *kept])
        self._board: Any = None
        if tensorboard is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(tensorboard), purge_step=step + 1)

    def write(self, step: int, group: str, values: Mapping[str, float]) -> None:
        """Append values of a group: `training` or `validation`."""
        rows = [Row(step, f"{group}/{name}", value) for name, value in values.items()]
        with (
            writing_to(self._path),
            self._path.open("a", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file, lineterminator="\n").writerows(rows)
        if self._board is not None:
            for row in rows:
                self._board.add_scalar(row.name, row.value, row.step)
            self._board.flush()

    def close(self) -> None:
        """Close TensorBoard's file."""
        if self._board is not None:
            self._board.close()


def has_tensorboard() -> bool:
    """Whether the package is installed; nothing is imported."""
    return importlib.util.find_spec("tensorboard") is not None
