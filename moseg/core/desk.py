"""Working copies: something is filled beside its place, and then moved there in one go."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from moseg.core.processes import is_alive

_WORKING = ".partial"
_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
"""Part of the names of working copies: only this machine knows which of its processes live."""


@contextmanager
def desk(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target`; it is removed when the block ends.

    The folder of `target` must exist.

    Raises:
        OSError: the place cannot be written.
    """
    sweep(target)
    place = target.parent / f".{target.name}.{_HOST}.{os.getpid()}{_WORKING}"
    remove(place)
    place.mkdir()
    try:
        yield place
    finally:
        remove(place)


def move_into_place(work: Path, target: Path) -> None:
    """Let a working copy, a folder or a file, take the place of `target`.

    A folder never takes the place of a file. Another process may do the same at the same moment,
    such as a worker on a machine that was given up for lost: one is the last, and what stands
    there then is whole.

    Raises:
        OSError: the place cannot be written.
    """
    if work.is_file() and not target.is_dir():
        work.replace(target)
        return
    old = work.with_name(f"{work.name}.old")
    for last in (False, False, True):
        try:
            if target.is_dir():
                with suppress(FileNotFoundError):
                    target.rename(old)
            work.rename(target)
            break
        except OSError as error:
            if last or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            remove(old)  # somebody put another one there in between
    remove(old)


def sweep(target: Path) -> None:
    """Remove working copies that processes of this machine, now dead, left beside a target."""
    name = re.escape(target.name)
    pattern = re.compile(rf"\.{name}\.{_HOST}\.(\d+){re.escape(_WORKING)}(\.old)?")
    for path in target.parent.iterdir():
        match = pattern.fullmatch(path.name)
        if match and not is_alive(int(match[1])):
            remove(path)


def remove(path: Path) -> None:
    """Remove a file or folder; nothing there is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
