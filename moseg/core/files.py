"""Write a file whole or not at all: beside its target first, renamed at the end."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moseg.core.errors import writing_to


def partial_path(target: Path) -> Path:
    """The hidden name beside `target` under which it is written before the rename.

    The name follows from the target's name alone, so what a killed process left
    behind is overwritten by the next one. It is short: long target names still work.
    """
    digest = hashlib.sha256(target.name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return target.with_name(f".partial-{digest}{target.suffix[:8]}")


def discard(path: Path) -> None:
    """Remove `path` if it is there; never raise, so that the first error stays visible."""
    with contextlib.suppress(OSError):
        path.unlink()


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """Yield a partial path; rename it to `target` at the end, remove it on any error.

    The folder of `target` must exist.

    Raises:
        OutputError: the place cannot be written (`moseg.core.errors.writing_to`).
    """
    partial = partial_path(target)
    with writing_to(target):
        try:
            yield partial
            partial.replace(target)
        except BaseException:
            discard(partial)
            raise
