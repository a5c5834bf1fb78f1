"""A scene is one video or one image folder; here they are found and named.

A scene's name becomes a folder and file name under the output folder, so it must not
be able to leave it: see `check_scene_name`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from moseg.core.errors import InputError, MosegError
from moseg.core.naming import is_hidden, is_image_name, is_text, is_video_name, natural_key
from moseg.core.remote.mirror import Mirror

SceneKind = Literal["video", "images"]

_LONGEST_NAME = 200  # bytes; file systems allow 255, and suffixes are added to the name


@dataclass(frozen=True)
class Scene:
    """One input. `source` is the absolute path of a video file or of an image folder.

    With a `mirror` the source lies in a store, and `source` is the place of a copy. What is
    known of its content without reading it is `fingerprint`, else "".

    Raises:
        InputError: the name cannot be used below the output folder.
    """

    name: str
    source: Path
    kind: SceneKind
    mirror: Mirror | None = None
    fingerprint: str = ""

    def __post_init__(self) -> None:
        try:
            check_scene_name(self.name)
        except InputError as error:
            raise InputError(f"{self.place}: {error}") from error

    @property
    def place(self) -> str:
        """What a person calls the source: its URL or its path."""
        url = self.mirror.url(self.source) if self.mirror else None
        return url or str(self.source)


@dataclass(frozen=True)
class Problem:
    """An input that cannot be used; it never stops the other scenes."""

    name: str
    source: Path
    error: MosegError
    url: str = ""

    @property
    def place(self) -> str:
        """What a person calls the source: its URL or its path."""
        return self.url or str(self.source)


def check_scene_name(name: str) -> str:
    """Return `name` if results can be kept under it, inside the output folder.

    Raises:
        InputError: the name is empty, `.` or `..`, holds a slash, a backslash or a control
            character, is no valid text, or is longer than 200 bytes in UTF-8.
    """
    if name in ("", ".", ".."):
        reason = "would leave the output folder"
    elif "/" in name or "\\" in name:
        reason = "holds a slash"
    elif any(unicodedata.category(character) == "Cc" for character in name):
        reason = "holds a control character"
    elif not is_text(name):
        reason = "is not valid UTF-8 text"
    elif len(name.encode()) > _LONGEST_NAME:
        reason = f"is longer than {_LONGEST_NAME} bytes"
    else:
        return name
    raise InputError(f"the scene name {name!r} {reason}; rename the input")


def find_scenes(
    inputs: Sequence[Path], mirror: Mirror | None = None
) -> tuple[list[Scene], list[Problem]]:
    """Turn what the user names into scenes.

    Each input is a video file, an image folder, or a folder of either. A folder that
    directly holds images is one scene; otherwise each video file in it and each
    sub-folder that holds images is a scene. Hidden entries are skipped, other files in
    folders are ignored, and folders are searched in natural order. The same source named
    twice is one scene. Two sources of one name are both refused.

    Args:
        mirror: inputs under it stand for what lies in a store, and are looked for there.

    Returns:
        The scenes, in order of the inputs, and one problem for each input that cannot be
        used.
    """
    scenes: list[Scene] = []
    problems: list[Problem] = []
    for path in inputs:
        for found in _find(Path(path), mirror):
            if isinstance(found, Problem):
                problems.append(found)
            elif found not in scenes:
                scenes.append(found)
    clashes = _clashes(scenes)
    clashing = {clash.name for clash in clashes}
    return [scene for scene in scenes if scene.name not in clashing], [*problems, *clashes]


def image_files(folder: Path) -> list[Path]:
    """The images directly in `folder`, in natural order, hidden ones skipped.

    A link that leads nowhere is among them, so that reading it fails rather than a frame
    being left out in silence.

    Raises:
        InputError: the folder cannot be listed.
    """
    return [path for path in _visible(folder) if _is_image_file(path)]


def _find(path: Path, mirror: Mirror | None = None) -> list[Scene | Problem]:
    """The scenes of one input, or why there are none."""
    url = mirror.url(path) if mirror else None
    if mirror is not None and url is not None:
        from moseg.core.remote.scenes import find_remote_scenes

        return find_remote_scenes(mirror, url)
    try:
        # A name like `.` or `a/..` only says something once it is resolved.
        path = path.resolve() if path.name in ("", "..") else path.absolute()
        if path.is_dir():
            return _find_in_folder(path)
        if path.is_file():
            return [_video_scene(path)]
        if path.exists():
            raise InputError(f"{path} is neither a file nor a folder; give a video or a folder")
        raise InputError(f"{path}: no such file or folder; check the path")
    except (InputError, OSError, RuntimeError, ValueError) as error:
        return [_problem(path, error)]


def _find_in_folder(folder: Path) -> list[Scene | Problem]:
    entries = _visible(folder)
    if not entries:
        raise InputError(f"{folder} is empty; give a video, or a folder of images or videos")
    if any(_is_image_file(entry) for entry in entries):
        return [_image_scene(folder, entries)]
    found: list[Scene | Problem] = []
    for entry in entries:
        try:
            if entry.is_dir():
                inside = _visible(entry)
                if any(_is_image_file(path) for path in inside):
                    found.append(_image_scene(entry, inside))
            elif is_video_name(entry):
                found += _find(entry)
        except (InputError, OSError) as error:
            found.append(_problem(entry, error))
    if not found:
        raise InputError(
            f"{folder} holds no video and no images; give a video, or a folder of images or videos"
        )
    return found


def _image_scene(folder: Path, entries: Iterable[Path]) -> Scene:
    videos = [entry for entry in entries if is_video_name(entry) and entry.is_file()]
    if videos:
        raise InputError(
            f"{folder} holds both images and videos ({videos[0].name!r}); "
            "name the videos one by one, or move them to a folder of their own"
        )
    return Scene(folder.name, folder, "images")


def _is_image_file(path: Path) -> bool:
    """True for an image by name that is a file, or a link to nothing."""
    return is_image_name(path) and (path.is_file() or (path.is_symlink() and not path.exists()))


def _video_scene(path: Path) -> Scene:
    """A file that the user named: taken for a video whatever its suffix, images apart."""
    if is_image_name(path):
        raise InputError(f"{path} is one image; give the folder that holds the frames")
    return Scene(path.stem, path, "video")


def _visible(folder: Path) -> list[Path]:
    try:
        entries = [entry for entry in folder.iterdir() if not is_hidden(entry)]
    except OSError as error:
        raise InputError(
            f"{folder} cannot be listed: {error.strerror}; check its permissions"
        ) from error
    return sorted(entries, key=lambda entry: natural_key(entry.name))


def _problem(path: Path, error: Exception) -> Problem:
    is_file_name = is_video_name(path) or is_image_name(path)
    name = (path.stem if is_file_name else path.name) or str(path)
    if isinstance(error, InputError):
        return Problem(name, path, error)
    reason = getattr(error, "strerror", None) or error
    return Problem(name, path, InputError(f"{path} cannot be opened: {reason}; check the path"))


def _clashes(scenes: Sequence[Scene]) -> list[Problem]:
    """One problem for each scene whose name another scene has too."""
    by_name: dict[str, list[Scene]] = {}
    for scene in scenes:
        by_name.setdefault(scene.name, []).append(scene)
    problems = []
    for scene in scenes:
        others = [other.place for other in by_name[scene.name] if other != scene]
        if others:
            error = InputError(
                f"{scene.place} has the same scene name {scene.name!r} as "
                f"{' and '.join(others)}; rename one, or run them into different output folders"
            )
            problems.append(Problem(scene.name, scene.source, error))
    return problems
