"""nerfstudio's `transforms.json`: which frames it names, and a copy with a mask for each."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moseg.core.cache import write_atomically
from moseg.core.errors import InputError, OutputError
from moseg.evaluation.frame_pairs import listed
from moseg.export.clips import MaskClip

_PATHS = ("ply_file_path",)
_PATHS_OF_FRAME = ("file_path", "depth_file_path")
_PATH_LISTS = ("train_filenames", "val_filenames", "test_filenames")


@dataclass(frozen=True)
class Transforms:
    """The content of one such file.

    Attributes:
        file: where it lies; its paths are relative to that folder.
        content: as it was read.
    """

    file: Path
    content: dict[str, Any]

    @property
    def frames(self) -> list[dict[str, Any]]:
        """One object a frame, with `file_path` of its image."""
        return list(self.content["frames"])

    @property
    def image_folder(self) -> Path:
        """The folder of the first frame's image."""
        first: str = self.frames[0]["file_path"]
        return (self.file.parent / first).parent

    def masks_of_frames(self, clip: MaskClip) -> list[str]:
        """The frame name of the mask of each frame: that with the stem of its image.

        Raises:
            InputError: some have none, two images would share one, or the file says that its
                images have another size.
        """
        paths = [Path(frame["file_path"]) for frame in self.frames]
        names = [path.name if path.name in clip.files else path.stem for path in paths]
        lost = [
            path.name for path, name in zip(paths, names, strict=True) if name not in clip.files
        ]
        if lost:
            raise InputError(
                f"{self.file}: {len(lost)} of {len(paths)} frames have no mask in {clip.name}: "
                f"{listed(lost)}; run moseg on the image folder that this file names"
            )
        first: dict[str, Path] = {}
        for path, name in zip(paths, names, strict=True):
            if first.setdefault(name, path) != path:
                raise InputError(
                    f"{self.file}: {first[name]} and {path} have one name, so they would get the "
                    "same mask; export each image folder with a file of its own"
                )
        self._check_size(clip)
        return names

    def save_copy(self, copy: Path, mask_paths: Sequence[str]) -> None:
        """Write a copy with `mask_path` in each frame and paths that hold from where it lies.

        Args:
            mask_paths: one for each frame, relative to the copy.

        Raises:
            OutputError: `copy` is the file itself, or cannot be written.
        """
        if copy.resolve() == self.file.resolve():
            raise OutputError(f"cannot write {copy}: it is the file that is read")
        content = self._moved(self.content, _PATHS, copy)
        for key in _PATH_LISTS:
            if key in content:
                content[key] = [self._seen_from(copy, path) for path in content[key]]
        content["frames"] = [
            {**self._moved(frame, _PATHS_OF_FRAME, copy), "mask_path": mask}
            for frame, mask in zip(self.frames, mask_paths, strict=True)
        ]
        write_atomically(copy, json.dumps(content, indent=4, ensure_ascii=False) + "\n")

    def _moved(self, fields: dict[str, Any], keys: Sequence[str], copy: Path) -> dict[str, Any]:
        paths = {key: self._seen_from(copy, fields[key]) for key in keys if fields.get(key)}
        return {**fields, **paths}

    def _seen_from(self, copy: Path, path: str) -> str:
        """`path`, which is relative to this file, relative to the copy."""
        here, there = self.file.parent.resolve(), copy.parent.resolve()
        if here == there or Path(path).is_absolute():
            return path
        return Path(os.path.relpath(here / path, there)).as_posix()

    def _check_size(self, clip: MaskClip) -> None:
        height, width = clip.size
        for frame in self.frames:
            stated = {**self.content, **frame}
            wide, tall = stated.get("w", width), stated.get("h", height)
            if (wide, tall) != (width, height):
                raise InputError(
                    f"{self.file}: the images are {wide}x{tall}, the masks of {clip.name} "
                    f"{width}x{height}; run moseg on the image folder that this file names"
                )


def read_transforms(file: Path) -> Transforms:
    """Read one such file.

    Raises:
        InputError: it cannot be read, or lists no frames with a `file_path`.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        paths = [frame["file_path"] for frame in content["frames"]]
        if not paths or not all(isinstance(path, str) and path for path in paths):
            raise ValueError("no frames")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}; check the path") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} is no transforms.json of nerfstudio, with a file_path in each of its frames"
        ) from error
    return Transforms(file, content)
