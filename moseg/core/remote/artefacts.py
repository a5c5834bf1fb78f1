"""The cache in a store: artefacts are made on the scratch disk and uploaded when they are whole.

In the store an artefact lies as it would on a disk, with the same manifest, byte for byte.
Publishing goes: manifest in state `publishing`, files that the new artefact does not have are
deleted, its files are uploaded, manifest in state `complete`. The copy on the scratch disk
stays; it is whole if its manifest is the one in the store.

All functions take slots that have a mirror, except `at_hand`, which takes any.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from moseg.core.desk import desk, move_into_place, remove
from moseg.core.errors import CacheError, writing_to
from moseg.core.files import published
from moseg.core.layout import Slot
from moseg.core.manifest import Manifest, StoredFile, parse_manifest
from moseg.core.remote import store
from moseg.core.remote.mirror import Mirror
from moseg.core.remote.scratch import Copy, Hold, hold, make_room
from moseg.core.remote.store import Stored

_SEAL = "seal"
"""Tag of a complete manifest: digest of the ETags that its files had after the upload."""


def read_manifest(slot: Slot) -> Manifest | None:
    """Return the manifest that the store has, or None.

    Raises:
        CacheError: it is damaged or of another format.
    """
    content = store.read(_record(slot))
    return None if content is None else parse_manifest(content)


def sizes(slot: Slot) -> dict[str, int]:
    """Return the sizes of the artefact's files in the store, by path below the artefact."""
    return {name: stored.size for name, stored in store.objects_below(slot.place).items()}


def is_intact(slot: Slot, manifest: Manifest) -> bool:
    """Whether the content of an artefact in the store is what its manifest says.

    ETags that are those of the upload are proof enough. Others say nothing, since a bucket that
    was copied has new ones; then the files are fetched and looked at, and sealed again.
    """
    seal = _seal(store.objects_below(slot.place), manifest)
    if store.tags(_record(slot)).get(_SEAL) == seal:
        return True
    try:
        with writing_to(slot.target), _alone(slot) as held:
            _download(slot, manifest, held)
    except CacheError:
        return False
    store.write(_record(slot), manifest.to_bytes(), **{_SEAL: seal})
    return True


def is_foreign(slot: Slot) -> bool:
    """Whether the store has something in the artefact's place, and no manifest for it."""
    return bool(store.objects_below(slot.place)) and store.read(_record(slot)) is None


def begin(slot: Slot) -> None:
    """Make room on the scratch disk for an artefact that is going to be made."""
    make_room(_mirror(slot))
    with _alone(slot) as held:
        if not held.read().paths:  # what a killed process leaves beside it will go with it
            held.write(_copy(slot, 0))


def publish(slot: Slot, work: Path, manifest: Manifest) -> None:
    """Move a working copy into its place on the scratch disk, and bring it to the store.

    Raises:
        StoreError: the store refuses or is away. What it has by then does not count as
            complete.
        OSError: the scratch disk cannot be written.
    """
    place, record = slot.place, _record(slot)
    with _alone(slot) as held:
        _replace_copy(slot, work, manifest, held)
        publishing = manifest.model_copy(update={"state": "publishing"})
        store.write(record, publishing.to_bytes())
        store.delete(place, store.objects_below(place).keys() - manifest.files.keys())
        store.upload(place, {name: slot.file(name) for name in manifest.files})
        seal = _seal(store.objects_below(place), manifest)
        store.write(record, manifest.to_bytes(), **{_SEAL: seal})


def discard(slot: Slot) -> int:
    """Delete an artefact of the store and its copy; return how many bytes the store has freed."""
    place, record = slot.place, _record(slot)
    if store.read(record) is None:
        return 0
    found = store.objects_below(place)
    store.delete(record, [""])
    store.delete(place, found)
    with _alone(slot) as held:
        slot.manifest.unlink(missing_ok=True)
        remove(slot.target)
        held.write(_copy(slot, 0))
    return sum(stored.size for stored in found.values())


def check_writable(mirror: Mirror, folder: Path) -> None:
    """Check that objects can be written and deleted where `folder` stands for.

    Raises:
        StoreError: they cannot.
    """
    place = f"{mirror.url(folder)}/.moseg-write-test"
    store.write(place, b"")
    store.delete(place, [""])


def upload_text(mirror: Mirror | None, path: Path) -> None:
    """Bring a small file of a run, such as `run.json`, to the store if it belongs there."""
    place = mirror.url(path) if mirror else None
    if place is not None:
        store.write(place, path.read_bytes())


def append_text(mirror: Mirror, path: Path, target: Path) -> None:
    """Move what a run wrote to `path` to the end of the object that `target` stands for."""
    place = mirror.url(target)
    assert place is not None
    store.write(place, (store.read(place) or b"") + path.read_bytes())
    path.unlink()


@contextmanager
def at_hand(keys: Mapping[Slot, str]) -> Iterator[None]:
    """Keep whole copies of artefacts on the scratch disk while the block runs.

    Args:
        keys: where each artefact lies -> the key it must have. Those on disk are left alone.

    Raises:
        CacheError: the store does not have what is asked for, or it is damaged.
        OutputError: the scratch disk is full or cannot be written.
    """
    remote = (slot for slot in keys if slot.mirror)
    with ExitStack() as copies:
        for slot in sorted(remote, key=lambda slot: slot.target):
            copies.enter_context(_one_at_hand(slot, keys[slot]))
        yield


@contextmanager
def _one_at_hand(slot: Slot, key: str) -> Iterator[None]:
    manifest = read_manifest(slot)
    if manifest is None or manifest.state != "complete" or manifest.key != key:
        raise CacheError(f"{slot.place} was changed or removed by another run; run again")
    while True:
        with hold(_mirror(slot), slot.target, alone=False):
            if _is_copied(slot, manifest):
                yield
                return
        with writing_to(slot.target), _alone(slot) as held:
            if not _is_copied(slot, manifest):
                make_room(_mirror(slot), _size(manifest))
                _download(slot, manifest, held)


def _is_copied(slot: Slot, manifest: Manifest) -> bool:
    """Whether the scratch disk has a whole copy of the artefact of `manifest`."""
    try:
        if slot.manifest.read_bytes() != manifest.to_bytes():
            return False
        files = manifest.files.items()
        return all(slot.file(name).stat().st_size == stored.size for name, stored in files)
    except OSError:
        return False


def _download(slot: Slot, manifest: Manifest, held: Hold) -> None:
    """Copy an artefact to the scratch disk.

    Raises:
        CacheError: its content is not what the manifest says. What is wrong is deleted in the
            store, so that the artefact is made again.
    """
    held.write(_copy(slot, 0))
    slot.target.parent.mkdir(parents=True, exist_ok=True)
    slot.manifest.parent.mkdir(parents=True, exist_ok=True)
    with desk(slot.target) as place:
        work = place if "" not in manifest.files else place / slot.target.name
        files = {name: work / name if name else work for name in manifest.files}
        store.download(slot.place, files)
        wrong = [n for n, path in files.items() if StoredFile.of(path) != manifest.files[n]]
        if wrong:
            if read_manifest(slot) == manifest:
                store.delete(slot.place, wrong)
            raise CacheError(f"{slot.place} was altered ({wrong[0]}); run again to make it anew")
        _replace_copy(slot, work, manifest, held)


def _replace_copy(slot: Slot, work: Path, manifest: Manifest, held: Hold) -> None:
    """Let a working copy be the copy on the scratch disk."""
    slot.manifest.unlink(missing_ok=True)
    move_into_place(work, slot.target)
    with published(slot.manifest) as partial:
        partial.write_bytes(manifest.to_bytes())
    held.write(_copy(slot, _size(manifest)))


def _seal(found: Mapping[str, Stored], manifest: Manifest) -> str:
    lines = [f"{name}\0{found[name].etag}" for name in sorted(manifest.files) if name in found]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _copy(slot: Slot, size: int) -> Copy:
    copies = _mirror(slot).copies
    paths = (slot.manifest, slot.target)
    return Copy(tuple(str(path.relative_to(copies)) for path in paths), size)


def _size(manifest: Manifest) -> int:
    return sum(stored.size for stored in manifest.files.values())


def _alone(slot: Slot) -> AbstractContextManager[Hold]:
    return hold(_mirror(slot), slot.target, alone=True)


def _mirror(slot: Slot) -> Mirror:
    assert slot.mirror is not None
    return slot.mirror


def _record(slot: Slot) -> str:
    """Return the URL of the manifest."""
    url = _mirror(slot).url(slot.manifest)
    assert url is not None
    return url
