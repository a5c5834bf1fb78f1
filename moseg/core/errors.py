"""The one error family of moseg.

Every problem that a user can cause or mend is a `MosegError`: its message is one line
that names the thing, says what is wrong and what to do. The command lines print that
line and end with `exit_code`; anything else that reaches the top is a fault of moseg.
"""

from __future__ import annotations

import errno
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")
"""What NumPy says, without an error number, when the disk fills up under an array."""


class MosegError(Exception):
    """Base of all errors a user can cause or mend. `str(error)` is one line."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class InputError(MosegError):
    """A video, image folder or data folder cannot be used."""


class ConfigError(MosegError):
    """A preset, configuration file or command-line value is wrong."""


class OutputError(MosegError):
    """Results cannot be written: no permission, disk full, or a foreign folder in the way."""


class CacheError(MosegError):
    """A cached artefact cannot be read. The cache drops it and the stage runs again."""


class BackendError(MosegError):
    """A backend cannot run here: a missing device, package or checkpoint."""


class ShortOfMemory(BackendError):
    """The memory of a device, or of the machine, is not enough now; elsewhere it may be."""


def one_line(message: str) -> str:
    """Return `message` as one line that any terminal and file can take.

    Spaces inside a line stay, so that file names keep theirs. Control characters and bytes
    of file names that are no text are shown as escapes.
    """
    line = " ".join(part.strip() for part in message.splitlines())
    return "".join(
        ascii(character)[1:-1] if unicodedata.category(character) in ("Cc", "Cs") else character
        for character in line
    )


@contextmanager
def writing_to(target: Path) -> Iterator[None]:
    """Turn the operating system's refusals while writing `target` into an `OutputError`.

    Raises:
        OutputError: disk or quota full, read-only place, no permission, name too long.
    """
    advice = {
        errno.ENOSPC: "the disk is full; free some space and run again, finished work is kept",
        errno.EDQUOT: "the disk quota is used up; free some space and run again, "
        "finished work is kept",
        errno.EACCES: "no permission to write there; choose another output folder",
        errno.EPERM: "no permission to write there; choose another output folder",
        errno.EROFS: "the file system is read-only; choose another output folder",
        errno.ENAMETOOLONG: "the name is too long for this file system; rename the input",
        errno.ENOTDIR: "a file stands where a folder is needed; choose another output folder",
        errno.EEXIST: "a file stands where a folder is needed; choose another output folder",
        errno.EISDIR: "a folder stands where a file is needed; choose another output folder",
        errno.EFBIG: "the file grows larger than allowed here; choose another output folder",
    }
    try:
        yield
    except OSError as error:
        number = errno.ENOSPC if _SHORT_WRITE.fullmatch(str(error)) else error.errno
        if number not in advice:
            raise
        raise OutputError(f"cannot write {target}: {advice[number]}") from error
