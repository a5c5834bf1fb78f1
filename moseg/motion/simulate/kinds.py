"""Kinds of scenes: what may be in them, in two sets that share nothing that matters.

`TRAINING` is what a network learns from; `HELD_OUT` has other cameras, places, bodies, motions
and effects, so that a test on it tells whether the network has learnt about motion at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Kind:
    """What a scene of a kind is drawn from.

    Attributes:
        name: what it is called.
        share: how often it is drawn, relative to the others of its set.
        cameras, places, bodies, motions, effects: names in the `MAKERS` of these files.
        objects: fewest and most moving objects.
        effect_count: how many effects, at most and at least one if there are any to choose from.
    """

    name: str
    share: float
    cameras: tuple[str, ...]
    places: tuple[str, ...]
    bodies: tuple[str, ...]
    motions: tuple[str, ...]
    effects: tuple[str, ...]
    objects: tuple[int, int]
    effect_count: int = 0


_THINGS = Kind(
    name="things",
    share=0.5,
    cameras=(
        "still",
        "slide",
        "drive",
        "pan",
        "zoom",
        "hand",
        "orbit",
        "follow",
        "slide in a hand",
        "pan and slide",
        "drive in a hand",
        "zoom and pan",
        "follow in a hand",
    ),
    places=("open ground", "street", "wall", "layers"),
    bodies=("blob", "shard", "ball", "box", "sheet", "walker", "beast"),
    motions=("steady", "curve", "stop", "start", "pause", "sway", "spin", "gesture"),
    effects=("shadow", "water", "smoke", "spray", "flicker"),
    objects=(1, 4),
)
_OTHER_THINGS = replace(
    _THINGS,
    name="other things",
    cameras=("crane", "dolly zoom", "walk", "whip", "loop", "crane and whip", "walk in loops"),
    places=("corner", "terraces", "thicket"),
    bodies=("star", "roof", "worm", "rotor", "cog"),
    motions=("zigzag", "circle", "dash", "swing", "hop"),
    effects=("foliage", "snow", "caustics", "spotlight"),
)


def _set_of(things: Kind, other: str, calm: tuple[str, ...]) -> tuple[Kind, ...]:
    """The kinds of a set: things that move, with and without effects, and nothing that moves."""
    moving = tuple(name for name in things.cameras if name not in calm and "follow" not in name)
    alone = replace(things, objects=(0, 0), cameras=(*calm, *moving))
    return (
        things,
        replace(things, name=f"{other}things and effects", share=0.15, effect_count=2),
        replace(alone, name=f"{other}effects alone", share=0.1, effect_count=2),
        replace(alone, name=f"{other}parallax", share=0.18, cameras=moving),
        replace(alone, name=f"{other}calm", share=0.07, cameras=calm),
    )


TRAINING: tuple[Kind, ...] = _set_of(_THINGS, "", ("still",))
HELD_OUT: tuple[Kind, ...] = _set_of(_OTHER_THINGS, "other ", ("loop",))

KINDS: dict[str, tuple[Kind, ...]] = {"training": TRAINING, "held-out": HELD_OUT}
"""The two sets by name."""


def pick(rng: np.random.Generator, kinds: Sequence[Kind]) -> Kind:
    """One of the kinds, by their shares."""
    shares = np.array([kind.share for kind in kinds])
    return kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
