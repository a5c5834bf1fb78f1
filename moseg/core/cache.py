"""The cache: artefacts appear whole or not at all, and are reused only when they fit.

Publishing goes: fill a hidden working copy beside the target, write the manifest in state
`publishing`, swap the working copy into place, write the manifest in state `complete`. A
process killed anywhere leaves either the old artefact, no artefact, or one whose manifest
does not say `complete`; all three are redone by the next run, with equal bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moseg.core.errors import CacheError, OutputError, writing_to
from moseg.core.files import published
from moseg.core.layout import Slot
from moseg.core.manifest import Identity, Manifest, StoredFile, describe_change, read_manifest
from moseg.core.stage import Report

_WORKING = ".partial"
_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
"""Part of the names of working copies: only this machine knows which of its processes live."""


@dataclass(frozen=True)
class Decision:
    """Whether an artefact can be reused, and if not, why.

    Attributes:
        manifest: the complete manifest to reuse, or None.
        reason: why the stage has to run; "" when it need not.
    """

    manifest: Manifest | None
    reason: str


def decide(slot: Slot, identity: Identity) -> Decision:
    """Return whether the artefact in `slot` is the one `identity` describes."""
    try:
        manifest = read_manifest(slot.manifest)
    except CacheError as error:
        return Decision(None, str(error))
    if manifest is None:
        return Decision(None, "not made yet")
    if manifest.state != "complete":
        return Decision(None, "an earlier run was stopped while writing it")
    if manifest.key != identity.key:
        return Decision(None, describe_change(manifest.identity, identity))
    for name, stored in manifest.files.items():
        path = slot.target / name if name else slot.target
        if not path.is_file():
            return Decision(None, f"{path.name} is missing")
        if path.stat().st_size != stored.size:
            return Decision(None, f"{path.name} was altered")
    return Decision(manifest, "")


def confirm(slot: Slot, decision: Decision) -> Decision:
    """Return `decision` after a second look at all files: their content, not only their size."""
    manifest = decision.manifest
    if manifest is None:
        return decision
    for name, stored in manifest.files.items():
        path = slot.target / name if name else slot.target
        try:
            intact = _digest(path) == stored.sha256
        except OSError as error:
            return Decision(None, f"{path.name} cannot be read ({error.strerror})")
        if not intact:
            return Decision(None, f"{path.name} was altered")
    return decision


def refuse_foreign(slot: Slot) -> None:
    """Make sure that what stands in the slot's place, if anything, was made by moseg.

    Raises:
        OutputError: it was not, so it is not replaced.
    """
    with writing_to(slot.target):
        ours = slot.manifest.exists() or slot.target.parent == slot.manifest.parent
        foreign = slot.target.exists() and not ours
    if foreign:
        raise OutputError(
            f"{slot.target} is already there and was not made by this run's cache; "
            "move it away or choose another output folder"
        )


@contextmanager
def working_copy(slot: Slot, folder: bool) -> Iterator[Path]:
    """Yield an empty folder (or the path of a file to write) beside the target.

    It is removed when the block ends, unless `publish` moved it into place.

    Raises:
        OutputError: the place cannot be written, or holds something moseg did not make.
    """
    with writing_to(slot.target):
        refuse_foreign(slot)
        slot.target.parent.mkdir(parents=True, exist_ok=True)
        slot.manifest.parent.mkdir(parents=True, exist_ok=True)
        _sweep(slot)
        desk = slot.target.parent / f".{slot.target.name}.{_HOST}.{os.getpid()}{_WORKING}"
        _remove(desk)
        desk.mkdir()
        try:
            # A file has the desk to itself: what its writer leaves beside it goes too.
            yield desk if folder else desk / slot.target.name
        finally:
            _remove(desk)


def publish(slot: Slot, work: Path, identity: Identity, report: Report) -> Manifest:
    """Move the working copy into place and write its manifest; return the manifest."""
    manifest = Manifest(
        state="publishing",
        key=identity.key,
        identity=identity,
        files=_digests(work),
        summary=report.summary,
        notes=report.notes,
    )
    with writing_to(slot.target):
        _write_manifest(slot, manifest)
        if slot.target.is_dir():
            old = work.with_name(f"{work.name}.old")
            slot.target.rename(old)
            work.rename(slot.target)
            _remove(old)
        else:
            work.replace(slot.target)
        manifest = manifest.model_copy(update={"state": "complete"})
        _write_manifest(slot, manifest)
    return manifest


def discard(slot: Slot) -> int:
    """Delete an artefact and its manifest; return how many bytes that freed."""
    if not slot.manifest.exists():
        return 0
    paths = [slot.target, *slot.target.rglob("*")]
    size = sum(path.stat().st_size for path in paths if path.is_file())
    slot.manifest.unlink()
    _remove(slot.target)
    return size


def write_atomically(path: Path, text: str) -> None:
    """Write a small text file that appears whole; the folder is made when needed.

    Raises:
        OutputError: the place cannot be written.
    """
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with published(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _write_manifest(slot: Slot, manifest: Manifest) -> None:
    write_atomically(slot.manifest, manifest.model_dump_json(indent=1))


def _digests(work: Path) -> dict[str, StoredFile]:
    """Return size and digest of each file of a working copy, by its path below it."""
    if work.is_dir():
        paths = {str(p.relative_to(work)): p for p in sorted(work.rglob("*")) if p.is_file()}
    else:
        paths = {"": work}
    return {
        name: StoredFile(size=path.stat().st_size, sha256=_digest(path))
        for name, path in paths.items()
    }


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sweep(slot: Slot) -> None:
    """Remove working copies that processes of this machine, now dead, left beside a target."""
    name = re.escape(slot.target.name)
    pattern = re.compile(rf"\.{name}\.{_HOST}\.(\d+){re.escape(_WORKING)}(\.old)?")
    for path in slot.target.parent.iterdir():
        match = pattern.fullmatch(path.name)
        if match and not _is_alive(int(match[1])):
            _remove(path)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
