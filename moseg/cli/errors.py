"""How every command of moseg ends when something is wrong: one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from moseg.core.errors import MosegError

INTERRUPTED = 130


@contextmanager
def ending_in_one_line() -> Iterator[None]:
    """Print a `MosegError` as one line and leave with its exit code; the same for Ctrl-C."""
    try:
        yield
    except MosegError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on from here", file=sys.stderr)
        sys.exit(INTERRUPTED)
