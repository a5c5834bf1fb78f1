"""How every command of moseg ends when something is wrong: one line and an exit code."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moseg.core.errors import MosegError, one_line

UNEXPECTED = 1
INTERRUPTED = 130
RESUMES = "stopped; run the same command again to go on from here"


@contextmanager
def ending_in_one_line(stopped: str = "stopped") -> Iterator[None]:
    """Print an error as one line and leave with its exit code; the same for Ctrl-C.

    A fault of moseg ends in one line too, which says where it was.

    Args:
        stopped: what Ctrl-C says; `RESUMES` where the work done so far is not lost.
    """
    _print_any_name()
    try:
        yield
    except MosegError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception as error:
        print(f"error: {one_line(_unexpected(error))}; please report it", file=sys.stderr)
        sys.exit(UNEXPECTED)


def _unexpected(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"unexpected {type(error).__name__} in {where}: {error}"


def _print_any_name() -> None:
    """Let names that the terminal's encoding lacks print as escapes, not fail."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
