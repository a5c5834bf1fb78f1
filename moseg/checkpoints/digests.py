"""Digests of checkpoints: computed once a file, recorded at first sight, checked ever after.

`digests.json` in the store's folder holds both. Several processes may use it at once; in a
folder that cannot be written it is read, and what is missing is computed each time.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from moseg.checkpoints.forms import folder_files
from moseg.core.errors import BackendError, writing_to
from moseg.core.files import published

_SETTLED = 1_000_000_000
"""Nanoseconds. A file changed more recently may change again without its time showing it."""


class _Seen(BaseModel):
    """Digest of a file, and by what we know that the file is still the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    mtime_ns: int
    sha256: str


class _Book(BaseModel):
    """What `digests.json` holds.

    Attributes:
        files: path -> digest, so that large files are not read at every run.
        recorded: name of a checkpoint in the store -> digest at first sight.
    """

    model_config = ConfigDict(extra="forbid")

    files: dict[str, _Seen] = {}
    recorded: dict[str, str] = {}


@dataclass(frozen=True)
class Digests:
    """The digests kept in one folder, which need not exist yet."""

    folder: Path

    def of(self, path: Path, fresh: bool = False) -> str:
        """Return the SHA-256 of a file, or of a `save_pretrained` folder, in hexadecimal.

        A folder's is that of the names and digests of the files that make the network
        (`folder_files`): `config.json`, all `*.safetensors`, and the index of shards.

        Args:
            fresh: read the files even where size and time are as they were.

        Raises:
            BackendError: a file cannot be read, or the folder holds no checkpoint.
        """
        if not path.is_dir():
            return self._of_file(path, fresh)
        total = hashlib.sha256()
        for file in folder_files(path):
            # A name holds no zero byte and a digest has a fixed length: no two folders collide.
            total.update(os.fsencode(file.name) + b"\0" + self._of_file(file, fresh).encode())
        return total.hexdigest()

    def recorded(self, name: str) -> str | None:
        """Return the digest at first sight of the checkpoint that the store calls `name`."""
        return self._read().recorded.get(name)

    def record(self, name: str, digest: str) -> None:
        """Keep a digest to check against; nothing happens in a folder that cannot be written."""
        with self._changing() as book:
            book.recorded[name] = digest

    def _of_file(self, path: Path, fresh: bool) -> str:
        key = str(path.resolve())
        try:
            with path.open("rb") as file:
                about = os.fstat(file.fileno())
                seen = self._read().files.get(key)
                unchanged = seen and (seen.size, seen.mtime_ns) == (
                    about.st_size,
                    about.st_mtime_ns,
                )
                if seen and unchanged and not fresh:
                    return seen.sha256
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                after = os.fstat(file.fileno())
        except OSError as error:
            reason = error.strerror or error
            raise BackendError(f"{path} cannot be read: {reason}; check the file") from error
        if (after.st_size, after.st_mtime_ns) != (about.st_size, about.st_mtime_ns):
            raise BackendError(f"{path} is being written at this moment; try again when it is done")
        if time.time_ns() - about.st_mtime_ns > _SETTLED:
            with self._changing() as book:
                book.files[key] = _Seen(
                    size=about.st_size, mtime_ns=about.st_mtime_ns, sha256=digest
                )
        return digest

    @property
    def _path(self) -> Path:
        return self.folder / "digests.json"

    def _read(self) -> _Book:
        try:
            return _Book.model_validate(json.loads(self._path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return _Book()
        except OSError as error:
            raise BackendError(f"{self._path} cannot be read: {error.strerror}") from error
        except (ValueError, ValidationError) as error:
            raise BackendError(
                f"{self._path} is damaged; delete it, digests are then recorded anew"
            ) from error

    @contextmanager
    def _changing(self) -> Iterator[_Book]:
        """Yield what is on file and write it back, one process at a time."""
        if not os.access(self.folder, os.W_OK):
            yield _Book()
            return
        with writing_to(self._path):
            lock = os.open(self.folder / ".digests.lock", os.O_CREAT | os.O_RDONLY, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            book = self._read()
            yield book
            book.files = {key: seen for key, seen in book.files.items() if Path(key).exists()}
            with published(self._path) as partial:
                partial.write_text(book.model_dump_json(indent=1), encoding="utf-8")
        finally:
            os.close(lock)
