"""Bringing checkpoints into the store: from their authors, from a mirror, or from a file."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from moseg.checkpoints.fetch import TIMEOUT, ProgressCall, fetch, forget
from moseg.checkpoints.forms import folder_files, form_of
from moseg.checkpoints.manifest import Entry
from moseg.checkpoints.store import Checkpoint, Store
from moseg.core.errors import BackendError, ConfigError, writing_to
from moseg.core.files import discard

MIRROR = "MOSEG_CHECKPOINT_MIRROR"
_FOLDER = re.compile(r"https?://[\w.:\[\]-]+(/[^?#\s]*)?")
_BLOCK = 1 << 22


def check_licence(entry: Entry, accepted: bool) -> None:
    """Refuse a checkpoint whose licence has to be accepted and was not.

    Raises:
        ConfigError: with the licence, where to read it, and what to run.
    """
    if entry.licence.non_commercial and not accepted:
        raise ConfigError(f"{entry.name}: {entry.licence.line}; if you accept it, {entry.advice}")


def download(
    store: Store,
    entry: Entry,
    progress: ProgressCall,
    trust: bool = False,
    timeout: float = TIMEOUT,
) -> Checkpoint:
    """Fetch the official file into the store, in the place of one that is there.

    Args:
        trust: take a file that differs from the one first seen here.

    Raises:
        BackendError: it has no address of its own; the network fails (what came is kept and
            the next call goes on from there); or what came is not the right file (nothing is
            kept).
        ConfigError: the mirror is no address.
        OutputError: the store cannot be written.
    """
    url, slot = address(entry), store.official(entry)
    with _desk(slot, "partial") as partial:
        fetch(url, partial, progress, timeout)
        try:
            digest = _examine(store, entry, partial, slot, url, trust)
        except BackendError:
            forget(partial)
            raise
        with writing_to(slot):
            partial.replace(slot)
        forget(partial)
    return Checkpoint(slot, digest, entry)


def take(
    store: Store, entry: Entry, source: Path, progress: ProgressCall, trust: bool = False
) -> Checkpoint:
    """Copy a checkpoint that the user has into the store, in the place of one that is there.

    Args:
        source: the official file under any name, a file that moseg converted, or a folder that
            `save_pretrained` wrote.
        trust: as for `download`.

    Raises:
        BackendError: it cannot be read, or is not the right file.
        OutputError: the store cannot be written.
    """
    form = form_of(source)
    slot = dict(zip(("official", "safetensors", "folder"), store.slots(entry), strict=True))[form]
    files = folder_files(source) if form == "folder" else [source]
    with _desk(slot, "copy") as desk:
        copy = desk.with_name(f"{desk.name}.d") if form == "folder" else desk
        targets = [copy / file.name for file in files] if form == "folder" else [copy]
        try:
            with writing_to(slot):
                _remove(copy.with_name(f"{desk.name}.d"))
                _copy(files, targets, progress)
            digest = _examine(store, entry, copy, slot, str(source), trust)
            with writing_to(slot):
                if slot.is_dir():
                    shutil.rmtree(slot)
                copy.replace(slot)
        finally:
            _remove(copy)
            discard(desk)
    return Checkpoint(slot, digest, entry)


def address(entry: Entry) -> str:
    """Return where the official file is fetched from: its own address, or the mirror's folder.

    Raises:
        BackendError: there is no address of the file, only a page.
        ConfigError: the mirror is no address.
    """
    mirror = os.environ.get(MIRROR)
    if mirror:
        if not _FOLDER.fullmatch(mirror):
            raise ConfigError(f"{MIRROR}={mirror} is not the http(s) address of a folder")
        return f"{mirror.rstrip('/')}/{quote(entry.file)}"
    if entry.url is None:
        raise BackendError(f"{entry.name} has no address to download it from; {entry.advice}")
    return entry.url


def _examine(store: Store, entry: Entry, fresh: Path, slot: Path, origin: str, trust: bool) -> str:
    """Return the digest of what is about to fill `slot`, if it is what it should be.

    Raises:
        BackendError: it is no checkpoint, or not the published one, or not the one first seen.
    """
    try:
        form_of(fresh)
    except BackendError as error:
        raise BackendError(str(error).replace(str(fresh), origin)) from error
    digest = store.digests.of(fresh, fresh=True)
    expected = store.expected(entry, slot)
    if expected is not None and digest != expected.sha256 and not (trust and expected.first_seen):
        last = "; to take it all the same, add --trust" if expected.first_seen else ""
        raise BackendError(f"{origin} is not the file {expected.told(digest)}{last}")
    if expected is None or expected.first_seen:
        store.digests.record(slot.name, digest)
    return digest


@contextmanager
def _desk(slot: Path, suffix: str) -> Iterator[Path]:
    """Yield a hidden file beside `slot` to write to, which no other process writes meanwhile.

    Raises:
        BackendError: another process is at it.
        OutputError: the place cannot be written.
    """
    desk = slot.with_name(f".{slot.name}.{suffix}")
    with writing_to(slot):
        slot.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(desk, os.O_CREAT | os.O_RDONLY, 0o644)
    try:
        if not _locked(lock, desk):
            raise BackendError(f"{slot} is being written by another process; wait for it")
        yield desk
        # A desk left empty is worth nothing; one that was renamed is not there.
    finally:
        if desk.is_file() and desk.stat().st_size == 0:
            discard(desk)
        os.close(lock)


def _locked(descriptor: int, path: Path) -> bool:
    """Lock an open file that should be at `path`; False if another process has or had it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _copy(files: list[Path], targets: list[Path], progress: ProgressCall) -> None:
    """Copy files block by block; the folder of the targets is made if it is not there."""
    done, total = 0, sum(file.stat().st_size for file in files)
    targets[0].parent.mkdir(exist_ok=True)
    for file, target in zip(files, targets, strict=True):
        with _opened(file) as reading, target.open("wb") as writing:
            while block := reading.read(_BLOCK):
                done += writing.write(block)
                progress(done, total)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}; check the file") from error


def _remove(folder_or_file: Path) -> None:
    if folder_or_file.is_dir():
        shutil.rmtree(folder_or_file, ignore_errors=True)
    else:
        discard(folder_or_file)
