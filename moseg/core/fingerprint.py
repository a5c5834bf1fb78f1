"""The content identity of a scene, by which a cache knows whether its input changed.

It depends on the bytes alone: a file that was copied, moved or touched keeps its
fingerprint.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from moseg.core.errors import InputError
from moseg.core.scene import Scene, image_files


def fingerprint(scene: Scene) -> str:
    """SHA-256 (64 hexadecimal digits) of what the scene's source holds.

    For a video: of its bytes. For an image folder: of each image's name and bytes, in
    natural order. Files are streamed, so memory does not grow with their size.

    Raises:
        InputError: a file is gone or cannot be read.
    """
    if scene.fingerprint:
        return scene.fingerprint
    if scene.kind == "video":
        return _file_digest(scene.source).hex()
    total = hashlib.sha256()
    for path in image_files(scene.source):
        # A name holds no zero byte and a digest has a fixed length: no two folders collide.
        total.update(os.fsencode(path.name) + b"\0" + _file_digest(path))
    return total.hexdigest()


def _file_digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}; check the file and its permissions"
        ) from error
