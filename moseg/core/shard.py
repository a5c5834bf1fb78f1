"""Shards: a batch system without a cluster runs one command for each part of the scenes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from moseg.core.errors import ConfigError
from moseg.core.scene import Scene

_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True)
class Shard:
    """Part `index` (1 to `count`) of the scenes, when they are split into `count` parts.

    The name of a scene alone says which part it is in, so a part keeps its scenes when others
    are added or removed, and every scene is in exactly one part. Parts are therefore even only
    on average: with few scenes one may hold several, and another none.

    Raises:
        ConfigError: there is no such part.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ConfigError(f"there is no shard {self}; give I/N with I from 1 to N, such as 2/8")

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def holds(self, name: str) -> bool:
        """Return whether the scene of this name is in this part."""
        digest = hashlib.sha256(name.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1

    def take(self, scenes: Iterable[Scene]) -> list[Scene]:
        """Return the scenes of this part, in the order in which they came."""
        return [scene for scene in scenes if self.holds(scene.name)]


def parse_shard(text: str) -> Shard:
    """Return the shard that `I/N` means, such as `2/8`.

    Raises:
        ConfigError: it has another form, or there is no such shard.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ConfigError(f"'{text}' is no shard; give I/N with I from 1 to N, such as 2/8")
    return Shard(int(form[1]), int(form[2]))
