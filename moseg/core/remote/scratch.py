"""The scratch folder of a mirror: who uses which copy, and how room is made for new ones.

Each copy (a source, or an artefact with its manifest) has a note in `<root>/notes`, which is
also its lock: whoever reads the copy holds it together with others, whoever changes or removes
it holds it alone. The note's time is when the copy was last used. All processes of a machine
may share a scratch folder; machines may not.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from moseg.core.desk import remove, sweep
from moseg.core.errors import writing_to
from moseg.core.remote.mirror import Mirror, make_scratch


@dataclass(frozen=True)
class Copy:
    """What a note says of a copy.

    Attributes:
        paths: files and folders it consists of, below `Mirror.copies`, to be removed in order.
        size: bytes they take.
        tags: name of a file below a source -> ETag of the object it was copied from.
    """

    paths: tuple[str, ...] = ()
    size: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hold:
    """A copy that is held while its block runs."""

    note: IO[bytes]

    def read(self) -> Copy:
        """Return what the note says; nothing where it is new or was cut off."""
        return _read(self.note)

    def write(self, copy: Copy) -> None:
        """Say what the copy is now; only for who holds it alone."""
        self.note.seek(0)
        self.note.truncate()
        self.note.write(json.dumps(asdict(copy)).encode())
        self.note.flush()


@contextmanager
def hold(mirror: Mirror, target: Path, alone: bool) -> Iterator[Hold]:
    """Hold the copy at `target`, whether there is one or not; wait for who stands against it.

    Raises:
        OutputError: the scratch folder cannot be written.
    """
    name = hashlib.sha256(os.fsencode(target.relative_to(mirror.copies))).hexdigest()[:32]
    make_scratch(mirror.root)
    with _locked(_notes(mirror) / name, fcntl.LOCK_EX if alone else fcntl.LOCK_SH) as stream:
        yield Hold(stream)


def _locked(note: Path, kind: int) -> IO[bytes]:
    """Return an open note that is locked until it is closed."""
    with writing_to(note):
        note.parent.mkdir(parents=True, exist_ok=True)
        while True:
            stream = note.open("a+b")
            fcntl.flock(stream, kind)
            if _is_current(note, stream):
                os.utime(note)
                return stream
            stream.close()


def make_room(mirror: Mirror, need: int = 0) -> None:
    """Remove the copies not used for longest until `need` bytes more are within the limit.

    Copies that any process holds stay, so the limit may be exceeded by what is in use.
    """
    notes = []
    total = need
    for note in _notes(mirror).glob("*"):
        try:
            with note.open("rb") as stream:
                size = _read(stream).size
            notes.append((note.stat().st_mtime, note, size))
            total += size
        except FileNotFoundError:
            continue
    for _, note, size in sorted(notes):
        if total <= mirror.limit:
            return
        if _drop(mirror, note):
            total -= size


def _drop(mirror: Mirror, note: Path) -> bool:
    """Remove a copy and its note unless it is held; return whether it is gone."""
    try:
        with note.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_current(note, stream):
                for path in _read(stream).paths:
                    target = mirror.copies / path
                    if target.parent.is_dir():
                        sweep(target)
                        remove(target)
                note.unlink()
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True


def _is_current(note: Path, stream: IO[bytes]) -> bool:
    """False if the note was removed, and maybe made anew, while we waited for its lock."""
    try:
        return os.path.samestat(note.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _read(stream: IO[bytes]) -> Copy:
    stream.seek(0)
    try:
        return Copy(**json.loads(stream.read()))
    except (ValueError, TypeError):
        return Copy()


def _notes(mirror: Mirror) -> Path:
    return mirror.root / "notes"
