"""Whether a data set is complete: all that training reads is there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from moseg.core.errors import MosegError
from moseg.core.images import list_frames
from moseg.motion.datasets.files import match_masks
from moseg.motion.datasets.scenes import Dataset, SceneFolders

Names = tuple[str, ...]


def check_scene(dataset: Dataset, scene: str) -> list[str]:
    """Return what is missing, a line each: depth, masks, tracks, features.

    Files are looked for, not read; empty ones count as missing. Tracks have to be complete for
    every query frame that has some, and for all query frames of at least one choice of frames.
    """
    folders = dataset.folders(scene)
    try:
        names = tuple(path.stem for path in list_frames(folders.images))
    except MosegError as error:
        return [str(error)]
    problems = _masks(folders, names)
    if dataset.reading.depth:
        problems += _missing("depth images", (folders.depth / f"{name}.png" for name in names))
    return problems + _tracks(dataset, folders, names)


def _masks(folders: SceneFolders, names: Names) -> list[str]:
    try:
        masks = match_masks(folders.masks, names)
    except MosegError as error:
        return [str(error)]
    return _missing("masks", masks.values())


def _tracks(dataset: Dataset, folders: SceneFolders, names: Names) -> list[str]:
    try:
        usable = dataset.usable_clips(folders)
    except MosegError as error:
        return [str(error)]
    problems = _unstarted(dataset, folders, names)
    wanted = {clip.query: clip.names for clip in usable}
    for query, targets in wanted.items():
        paths = (folders.tracks / f"{query}_{target}.npy" for target in targets)
        problems += _missing(f"track files of query frame {query}", paths)
    if dataset.reading.features:
        problems += _missing("features", (_features(folders.features, query) for query in wanted))
    return problems


def _unstarted(dataset: Dataset, folders: SceneFolders, names: Names) -> list[str]:
    """Tell of query frames without tracks, of the choice of frames that lacks the fewest."""
    lacking = [
        [
            names[frames[at]]
            for at in dataset.queries(len(frames))
            if not _is_there(folders.tracks / f"{names[frames[at]]}_{names[frames[at]]}.npy")
        ]
        for frames in dataset.clips(len(names))
    ]
    fewest = min(lacking, key=len)
    if not fewest:
        return []
    return [f"{folders.tracks}: query frames without tracks: {', '.join(fewest)}"]


def _features(folder: Path, name: str) -> Path:
    packed = folder / f"{name}.h5"
    return packed if packed.is_file() else folder / f"{name}.npy"


def _missing(what: str, paths: Iterable[Path]) -> list[str]:
    every = list(paths)
    lost = [path for path in every if not _is_there(path)]
    if not lost:
        return []
    count = f"{len(lost)} of {len(every)} {what}"
    return [f"{lost[0].parent}: {count} are missing or empty, the first is {lost[0].name}"]


def _is_there(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
