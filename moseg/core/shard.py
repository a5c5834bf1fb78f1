"""Shards: a batch system without a cluster runs one command for each part of the scenes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from moseg.core.errors import ConfigError
from moseg.core.scene import Problem, Scene

Input = TypeVar("Input", Scene, Problem)

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
        digest = hashlib.sha256(os.fsencode(name)).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1

    def take(self, inputs: Iterable[Input]) -> list[Input]:
        """Return the scenes (or inputs that are none) of this part, in the order they came in."""
        return [one for one in inputs if self.holds(one.name)]

    def file_name(self, name: str) -> str:
        """Return `run-2-of-8.json` for `run.json`: each of several parts writes its own."""
        if self.count == 1:
            return name
        stem, dot, suffix = name.partition(".")
        return f"{stem}-{self.index}-of-{self.count}{dot}{suffix}"


def parse_shard(text: str) -> Shard:
    """Return the shard that `I/N` means, such as `2/8`.

    Raises:
        ConfigError: it has another form, or there is no such shard.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ConfigError(f"'{text}' is no shard; give I/N with I from 1 to N, such as 2/8")
    return Shard(int(form[1]), int(form[2]))


WHOLE = Shard(1, 1)
"""All scenes."""
