"""The Def file of a sequence of FBMS-59: its regions and its annotated frames.

A text file of captions and values on fixed lines; what the captions say does not matter. It
also has a matrix of penalties between regions, which the measure does not use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from moseg.core.errors import InputError
from moseg.core.naming import is_hidden
from moseg.evaluation.mask_folders import entries

Value = TypeVar("Value")

GREY_SUFFIX = ".pgm"
"""Annotations of this kind name a region by its grey value, others by R * 65536 + G * 256 + B."""


@dataclass(frozen=True)
class AnnotatedFrame:
    """One annotated frame.

    Attributes:
        number: of the frame in the sequence, from 0.
        annotation: the file with its regions, in the folder of the Def file.
        image: name of the file with the frame itself.
    """

    number: int
    annotation: Path
    image: str


@dataclass(frozen=True)
class Definition:
    """What a Def file says.

    Attributes:
        colours: of each region, as R * 65536 + G * 256 + B.
        length: frames of the sequence.
        frames: the annotated ones, at least one, in the order of their numbers.
    """

    colours: tuple[int, ...]
    length: int
    frames: tuple[AnnotatedFrame, ...]


def find_definition(folder: Path) -> Path | None:
    """The Def file in a folder of annotations, or None.

    Raises:
        InputError: there are several, or the folder cannot be listed.
    """
    shown = (path for path in entries(folder) if not is_hidden(path))
    found = sorted(path for path in shown if path.name.endswith("Def.dat"))
    if len(found) > 1:
        raise InputError(f"{folder}: holds {found[0].name} and {found[1].name}; keep one of them")
    return found[0] if found else None


def read_definition(path: Path) -> Definition:
    """Read a Def file.

    Raises:
        InputError: it cannot be read, ends too early, has a value that is no number, names two
            regions or two frames alike, or a frame beyond the sequence; the message names the line.
    """
    try:
        lines = path.read_text(encoding="latin-1").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the file") from error
    definition = _parse(_Lines(path, lines))
    _check(path, definition)
    return definition


def _parse(lines: _Lines) -> Definition:
    lines.skip(3)  # two free ones and a caption
    values = [lines.after_caption(_natural) for _ in range(lines.take(_natural))]
    lines.skip(2 + len(values))  # two free ones, then the penalties
    lines.skip(2)
    length = lines.take(_natural)
    frames = []
    for _ in range(lines.after_caption(_natural)):
        number = lines.after_caption(_natural)
        # The files may have been written on Windows.
        name = lines.after_caption(_name).replace("\\", "/")
        frames.append(AnnotatedFrame(number, lines.path.parent / name, lines.after_caption(_name)))
    frames.sort(key=lambda frame: frame.number)
    grey = any(frame.annotation.suffix.lower() == GREY_SUFFIX for frame in frames)
    colours = tuple(value * 0x010101 for value in values) if grey else tuple(values)
    return Definition(colours, length, tuple(frames))


def _check(path: Path, definition: Definition) -> None:
    if not definition.colours or not definition.frames:
        raise InputError(f"{path}: names no region or no annotated frame; get the file again")
    if any(colour > 0xFFFFFF for colour in definition.colours):
        raise InputError(f"{path}: the value of a region is no 8-bit colour; get the file again")
    numbers = [frame.number for frame in definition.frames]
    for what, values in (("regions", list(definition.colours)), ("frames", numbers)):
        if len(set(values)) < len(values):
            raise InputError(f"{path}: two {what} have the same number; get the file again")
    if numbers[-1] >= definition.length:
        raise InputError(
            f"{path}: annotates frame {numbers[-1]} of a sequence of {definition.length}, "
            "counted from 0; get the file again"
        )


class _Lines:
    """The lines of a file, read one after the other."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path = path
        self._lines = lines
        self._next = 0

    def skip(self, number: int) -> None:
        self._next += number

    def take(self, meaning: Callable[[str], Value]) -> Value:
        """The value on the next line.

        Raises:
            InputError: the file has ended, or the value has another meaning.
        """
        self._next += 1
        if self._next > len(self._lines):
            raise InputError(
                f"{self.path}: ends before line {self._next}, where a value is due; "
                "get the file again"
            )
        text = self._lines[self._next - 1].strip()
        try:
            return meaning(text)
        except ValueError as error:
            raise InputError(
                f"{self.path}: line {self._next} is {text[:40]!r}, where {error} is due; "
                "get the file again"
            ) from None

    def after_caption(self, meaning: Callable[[str], Value]) -> Value:
        """The value on the line after the next."""
        self.skip(1)
        return self.take(meaning)


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("a whole number")
    return int(text)


def _name(text: str) -> str:
    if not text:
        raise ValueError("the name of a file")
    return text
