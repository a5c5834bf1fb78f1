"""Which sequences are scored: those of a benchmark's list, a person's choice, or all there are."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from moseg.core.errors import InputError
from moseg.evaluation.frame_pairs import listed
from moseg.evaluation.mask_folders import prediction_root, sequence_folders

_LISTS = files("moseg.evaluation") / "lists"


@dataclass(frozen=True)
class Choice:
    """The sequences to score, and a sentence that says what they are of the benchmark."""

    names: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Found:
    """The sequences to score, and where they are.

    Attributes:
        names: of their folders, in the order of scoring.
        sentence: what they are of the benchmark.
        pred, truth: the folders of sequence folders.
    """

    names: tuple[str, ...]
    sentence: str
    pred: Path
    truth: Path

    @property
    def folders(self) -> tuple[tuple[str, Path, Path], ...]:
        """Name, folder of predictions and folder of the truth of each sequence."""
        return tuple((name, self.pred / name, self.truth / name) for name in self.names)

    def require_predictions(self) -> None:
        """Check that each sequence has a folder of predictions.

        Raises:
            InputError: some have not.
        """
        missing = [name for name in self.names if not (self.pred / name).is_dir()]
        if missing:
            raise InputError(
                f"{self.pred}: no predictions for {listed(missing)} "
                f"({len(missing)} of {len(self.names)} sequences); predict them, or choose the "
                "sequences to score with --sequences a,b or --sequences FILE (one name a line)"
            )


def list_names() -> list[str]:
    """Names of the lists that moseg brings along, such as `davis16-val`."""
    return sorted(entry.name.removesuffix(".txt") for entry in _LISTS.iterdir())


def benchmark_list(name: str) -> tuple[str, ...]:
    """The sequences of one of `list_names`, in its order."""
    return tuple(_names((_LISTS / f"{name}.txt").read_text(encoding="utf-8")))


def parse_sequences(text: str) -> list[str]:
    """Sequence names from the name of a list, from `a,b`, or from a file with one name a line.

    Blank lines of a file and what follows a `#` are left out; a line may hold `a,b`.

    Raises:
        InputError: no name is given, or the file is not there or cannot be read.
    """
    if os.path.isfile(text):  # noqa: PTH113, a Path fails where many names are no file's name
        names = _read(Path(text))
    elif text in list_names():
        names = list(benchmark_list(text))
    elif "/" in text or text.endswith(".txt"):
        raise InputError(
            f"sequences {text!r}: no such file; check the path of the list, or write names as a,b"
        )
    else:
        names = _split(text)
    if not names:
        raise InputError(f"sequences {text!r}: no name in it; write a,b or one name a line")
    return names


def find_sequences(
    pred: Path, truth_root: Path, wanted: Sequence[str] | None, benchmark: str
) -> Found:
    """What `choose_sequences` chooses of the sequence folders in `truth_root`.

    Args:
        pred: as given by a person; see `mask_folders.prediction_root`.
        truth_root: folder of sequence folders.
        wanted, benchmark: see `choose_sequences`.

    Raises:
        InputError: as `choose_sequences`; a folder is not there, or the truth is empty.
    """
    pred_root = prediction_root(pred)
    choice = choose_sequences(wanted, benchmark, sequence_folders(truth_root), truth_root)
    return Found(choice.names, choice.sentence, pred_root, truth_root)


def choose_sequences(
    wanted: Sequence[str] | None, benchmark: str, known: Collection[str], root: Path
) -> Choice:
    """What is scored: `wanted`; else the benchmark's list, or all of a truth that lacks some of it.

    Args:
        wanted: names, or None.
        benchmark: the name of its list.
        known: the sequences of the truth.
        root: folder of the truth, for messages.

    Raises:
        InputError: no names, or some that the truth does not have.
    """
    official = benchmark_list(benchmark)
    if wanted is None and set(official) <= set(known):
        wanted = official
    names = known_names(wanted, known, root)
    return Choice(names, _sentence(set(names), set(official), benchmark))


def known_names(
    wanted: Sequence[str] | None, known: Collection[str], root: Path
) -> tuple[str, ...]:
    """The names of `wanted`, each once; None: all of `known`.

    Args:
        wanted: names, or None.
        known: the sequences of the truth.
        root: folder of the truth, for messages.

    Raises:
        InputError: no names, or some that the truth does not have.
    """
    names = tuple(known if wanted is None else dict.fromkeys(wanted))
    if not names:
        raise InputError("no sequences to score: the list is empty; name at least one")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"{root}: the ground truth has no sequence {listed(unknown)}; "
            f"it has {listed(list(known))}"
        )
    return names


def _sentence(names: set[str], official: set[str], benchmark: str) -> str:
    if names == official:
        return f"all {len(official)} of {benchmark}"
    if names < official:
        return (
            f"{len(names)} of the {len(official)} of {benchmark}: "
            "not the benchmark's figure, do not quote it as such"
        )
    return f"{len(names)}, not those of {benchmark}: do not quote the figures as the benchmark's"


def _read(file: Path) -> list[str]:
    try:
        return _names(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file}: cannot be read as a list of sequences; give a text file in UTF-8, "
            "one name a line"
        ) from error


def _names(text: str) -> list[str]:
    lines = (line.partition("#")[0] for line in text.splitlines())
    return [name for line in lines for name in _split(line)]


def _split(text: str) -> list[str]:
    return [part for part in (part.strip() for part in text.split(",")) if part]
