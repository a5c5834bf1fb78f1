"""Inputs in a store: copied to the scratch disk before somebody reads them.

An object is copied again when its size or its ETag is not that of the copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from moseg.core.desk import desk, move_into_place, remove
from moseg.core.errors import InputError, MosegError, writing_to
from moseg.core.naming import is_hidden, is_image_name
from moseg.core.remote import store
from moseg.core.remote.mirror import Mirror
from moseg.core.remote.scratch import Copy, Hold, hold, make_room
from moseg.core.remote.store import Stored
from moseg.core.scene import Scene


@contextmanager
def source_at_hand(scene: Scene) -> Iterator[None]:
    """Keep a copy of a scene's source on the scratch disk while the block runs.

    Nothing is done for a source on disk.

    Raises:
        InputError: the store has no such source, or it is changed while it is copied.
        StoreError: the store refuses or is away.
        OutputError: the scratch disk is full or cannot be written.
    """
    mirror = scene.mirror
    if mirror is None:
        yield
        return
    objects = source_objects(scene)
    while True:
        with hold(mirror, scene.source, alone=False) as held:
            if _is_copied(scene, objects, held.read()):
                with _told_by_url(scene):
                    yield
                return
        with writing_to(scene.source), hold(mirror, scene.source, alone=True) as held:
            if not _is_copied(scene, objects, held.read()):
                make_room(mirror, sum(stored.size for stored in objects.values()))
                _download(mirror, scene, objects, held)
                if source_objects(scene) != objects or not _is_copied(scene, objects, held.read()):
                    held.write(Copy(held.read().paths))
                    raise InputError(f"{scene.place} was changed while it was read; run again")


@contextmanager
def _told_by_url(scene: Scene) -> Iterator[None]:
    """Let what is wrong with a source name the source, not its copy."""
    try:
        yield
    except MosegError as error:
        message = str(error).replace(str(scene.source), scene.place)
        raise type(error)(message) from error


def source_objects(scene: Scene) -> dict[str, Stored]:
    """Return the objects of a source by name: "" for a video, else the images of the folder.

    Raises:
        InputError: the store has none.
        StoreError: the store refuses or is away.
    """
    url = scene.place
    objects = {
        name: stored
        for name, stored in store.entries_in(url).items()
        if stored is not None and (not name if scene.kind == "video" else _is_frame(scene, name))
    }
    if not objects:
        raise InputError(f"{url}: the store has no such {scene.kind}; check the URL")
    return objects


def _is_frame(scene: Scene, name: str) -> bool:
    path = scene.source / name
    return bool(name) and is_image_name(path) and not is_hidden(path)


def _is_copied(scene: Scene, objects: Mapping[str, Stored], copy: Copy) -> bool:
    """Whether the scratch disk has exactly these objects."""
    if copy.tags != {name: stored.etag for name, stored in objects.items()}:
        return False
    if scene.kind == "images" and _names(scene) != objects.keys():
        return False
    return all(_has(scene, name, stored) for name, stored in objects.items())


def _has(scene: Scene, name: str, stored: Stored) -> bool:
    path = scene.source / name
    return path.is_file() and path.stat().st_size == stored.size


def _names(scene: Scene) -> set[str]:
    return {path.name for path in scene.source.iterdir()} if scene.source.is_dir() else set()


def _download(mirror: Mirror, scene: Scene, objects: Mapping[str, Stored], held: Hold) -> None:
    """Copy what is missing or changed, and remove what the source no longer has."""
    copied = held.read().tags
    kept = {
        name: stored.etag
        for name, stored in objects.items()
        if copied.get(name) == stored.etag and _has(scene, name, stored)
    }
    paths = (str(scene.source.relative_to(mirror.copies)),)
    size = sum(stored.size for stored in objects.values())
    held.write(Copy(paths, size, kept))
    scene.source.parent.mkdir(parents=True, exist_ok=True)
    with desk(scene.source) as place:
        files = {name: place / (name or scene.source.name) for name in objects if name not in kept}
        store.download(scene.place, files)
        if scene.kind == "images":
            scene.source.mkdir(exist_ok=True)
            for name in _names(scene) - objects.keys():
                remove(scene.source / name)
        for name, path in files.items():
            move_into_place(path, scene.source / name)
    held.write(Copy(paths, size, {name: stored.etag for name, stored in objects.items()}))
