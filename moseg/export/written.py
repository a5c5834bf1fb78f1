"""What an export left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Written:
    """What a person should know of an export.

    Attributes:
        paths: folders or files that hold it.
        notes: sentences a person should read, such as which ids found no room.
    """

    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()
