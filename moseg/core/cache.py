"""The cache: artefacts appear whole or not at all, and are reused only when they fit.

Publishing goes: fill a hidden working copy beside the target, write the manifest in state
`publishing`, swap the working copy into place, write the manifest in state `complete`. A
process killed anywhere leaves either the old artefact, no artefact, or one whose manifest
does not say `complete`; all three are redone by the next run, with equal bytes.

What is said here holds for artefacts on disk; `moseg.core.remote.artefacts` does the same for
those in a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moseg.core.desk import desk, move_into_place, remove
from moseg.core.errors import CacheError, OutputError, writing_to
from moseg.core.files import published
from moseg.core.layout import Slot
from moseg.core.manifest import Identity, Manifest, StoredFile, describe_change, read_manifest
from moseg.core.remote import artefacts
from moseg.core.stage import Report


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
        manifest = artefacts.read_manifest(slot) if slot.mirror else read_manifest(slot.manifest)
    except CacheError as error:
        return Decision(None, str(error))
    if manifest is None:
        return Decision(None, "not made yet")
    if manifest.state != "complete":
        return Decision(None, "an earlier run was stopped while writing it")
    if manifest.key != identity.key:
        return Decision(None, describe_change(manifest.identity, identity))
    sizes = artefacts.sizes(slot) if slot.mirror else _sizes(slot, manifest)
    for name, stored in manifest.files.items():
        if name not in sizes:
            return Decision(None, f"{slot.file(name).name} is missing")
        if sizes[name] != stored.size:
            return Decision(None, f"{slot.file(name).name} was altered")
    return Decision(manifest, "")


def confirm(slot: Slot, decision: Decision) -> Decision:
    """Return `decision` after a second look at all files: their content, not only their size."""
    manifest = decision.manifest
    if manifest is None:
        return decision
    if slot.mirror:
        intact = artefacts.is_intact(slot, manifest)
        return decision if intact else Decision(None, f"{slot.target.name} was altered")
    for name, stored in manifest.files.items():
        path = slot.file(name)
        try:
            intact = StoredFile.of(path) == stored
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
    if slot.target.parent == slot.manifest.parent:
        return
    with writing_to(slot.target):
        if slot.mirror:
            foreign = artefacts.is_foreign(slot)
        else:
            foreign = slot.target.exists() and not slot.manifest.exists()
    if foreign:
        raise OutputError(
            f"{slot.place} is already there and was not made by this run's cache; "
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
        if slot.mirror:
            artefacts.begin(slot)
        slot.target.parent.mkdir(parents=True, exist_ok=True)
        slot.manifest.parent.mkdir(parents=True, exist_ok=True)
        with desk(slot.target) as place:
            # A file has the desk to itself: what its writer leaves beside it goes too.
            yield place if folder else place / slot.target.name


def publish(
    slot: Slot,
    work: Path,
    identity: Identity,
    report: Report,
    check: Callable[[], None] = lambda: None,
) -> Manifest:
    """Move the working copy into place and write its manifest; return the manifest.

    Args:
        check: called when all is ready, before anything is touched; may raise.
    """
    manifest = Manifest(
        state="complete",
        key=identity.key,
        identity=identity,
        files=_files(work),
        summary=report.summary,
        notes=report.notes,
    )
    check()
    with writing_to(slot.target):
        if slot.mirror:
            artefacts.publish(slot, work, manifest)
        else:
            _write_manifest(slot, manifest.model_copy(update={"state": "publishing"}))
            move_into_place(work, slot.target)
            _write_manifest(slot, manifest)
    return manifest


def discard(slot: Slot) -> int:
    """Delete an artefact and its manifest; return how many bytes that freed."""
    if slot.mirror:
        return artefacts.discard(slot)
    if not slot.manifest.exists():
        return 0
    paths = [slot.target, *slot.target.rglob("*")]
    size = sum(path.stat().st_size for path in paths if path.is_file())
    slot.manifest.unlink()
    remove(slot.target)
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
    with published(slot.manifest) as partial:
        partial.write_bytes(manifest.to_bytes())


def _sizes(slot: Slot, manifest: Manifest) -> dict[str, int]:
    """Return the sizes of those files of an artefact that are there."""
    paths = {name: slot.file(name) for name in manifest.files}
    return {name: path.stat().st_size for name, path in paths.items() if path.is_file()}


def _files(work: Path) -> dict[str, StoredFile]:
    """Return the record of each file of a working copy, by its path below it."""
    if not work.is_dir():
        return {"": StoredFile.of(work)}
    paths = [path for path in sorted(work.rglob("*")) if path.is_file()]
    return {str(path.relative_to(work)): StoredFile.of(path) for path in paths}
