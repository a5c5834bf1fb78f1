"""Scenes in a store: the rules of `moseg.core.scene.find_scenes`, for URLs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from moseg.core.errors import InputError, MosegError
from moseg.core.naming import is_hidden, is_image_name, is_video_name, natural_key
from moseg.core.remote import store
from moseg.core.remote.mirror import Mirror
from moseg.core.remote.store import Stored
from moseg.core.scene import Problem, Scene

_WANTED = "give a video, or a folder of images or videos"


def find_remote_scenes(mirror: Mirror, url: str) -> list[Scene | Problem]:
    """Return the scenes of one URL, or why there are none.

    It names a video, an image folder, or a folder of either. A folder is what the keys of
    objects say before a slash. Sources are the places of copies that are not made yet.
    """
    path: Path | None = None
    try:
        path = mirror.path(url)
        url = mirror.url(path) or url
        entries = store.entries_in(url)
        if not entries:
            raise InputError(f"{url}: no such object or folder; check the URL")
        if "" in entries:
            return [_video_scene(mirror, url, path)]
        return _find_in_folder(mirror, url, path, _visible(entries))
    except MosegError as error:
        return [_problem(path or Path(url), url, error)]


def _find_in_folder(
    mirror: Mirror, url: str, folder: Path, entries: Mapping[str, Stored | None]
) -> list[Scene | Problem]:
    if not entries:
        raise InputError(f"{url} is empty; {_WANTED}")
    if _images(entries):
        return [_image_scene(mirror, url, folder, entries)]
    found: list[Scene | Problem] = []
    for name, stored in entries.items():
        path, place = folder / name, store.join(url, name)
        try:
            if stored is None:
                inside = _visible(store.entries_in(place))
                if _images(inside):
                    found.append(_image_scene(mirror, place, path, inside))
            elif is_video_name(path):
                found.append(_video_scene(mirror, place, path))
        except MosegError as error:
            found.append(_problem(path, place, error))
    if not found:
        raise InputError(f"{url} holds no video and no images; {_WANTED}")
    return found


def _image_scene(
    mirror: Mirror, url: str, folder: Path, entries: Mapping[str, Stored | None]
) -> Scene:
    videos = [name for name, stored in entries.items() if stored and is_video_name(Path(name))]
    if videos:
        raise InputError(
            f"{url} holds both images and videos ({videos[0]!r}); "
            "name the videos one by one, or move them to a folder of their own"
        )
    return Scene(folder.name, folder, "images", mirror)


def _video_scene(mirror: Mirror, url: str, path: Path) -> Scene:
    """An object that the user named: taken for a video whatever its suffix, images apart."""
    if is_image_name(path):
        raise InputError(f"{url} is one image; give the folder that holds the frames")
    return Scene(path.stem, path, "video", mirror)


def _images(entries: Mapping[str, Stored | None]) -> list[str]:
    return [name for name, stored in entries.items() if stored and is_image_name(Path(name))]


def _visible(entries: Mapping[str, Stored | None]) -> dict[str, Stored | None]:
    names: Iterable[str] = (name for name in entries if not is_hidden(Path(name)))
    return {name: entries[name] for name in sorted(names, key=natural_key)}


def _problem(path: Path, url: str, error: MosegError) -> Problem:
    is_file_name = is_video_name(path) or is_image_name(path)
    return Problem((path.stem if is_file_name else path.name) or str(path), path, error, url)
