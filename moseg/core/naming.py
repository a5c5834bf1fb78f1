"""What file names say: whether they are images or videos, and their order.

Only names are looked at, never contents, so this module needs no decoder.
"""

from __future__ import annotations

import re
from pathlib import Path

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})

VIDEO_SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".qt", ".avi", ".mkv", ".webm", ".wmv", ".asf", ".flv", ".f4v"),
        *(".mpg", ".mpeg", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".mxf", ".ogv", ".ogm"),
        *(".3gp", ".3g2", ".gif", ".dv", ".y4m", ".mjpeg", ".mjpg", ".h264", ".hevc", ".ivf"),
    }
)


def is_image_name(path: Path) -> bool:
    """True if the file name ends like an image that moseg reads (any case)."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_video_name(path: Path) -> bool:
    """True if the file name ends like a known video (any case)."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def is_hidden(path: Path) -> bool:
    """True for names that start with a dot, which folders are searched without."""
    return path.name.startswith(".")


def is_text(name: str) -> bool:
    """False for names that hold bytes which are not UTF-8 (Python keeps them as surrogates)."""
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in name)


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Sort key that puts `img2` before `img10`.

    Runs of the digits 0-9 compare as numbers, the rest as text without case. The name
    itself breaks ties (`a`, `A`, `01`, `1`), so the order of a list is always the same.
    """
    parts = re.split(r"([0-9]+)", name)
    # re.split puts text at even places and digits at odd ones, so like meets like.
    chunks = tuple(int(part) if i % 2 else part.casefold() for i, part in enumerate(parts))
    return chunks, name
