"""What the nodes of a cluster have, and where a worker fits.

Only arithmetic: Ray keeps count of the same resources for everybody, but it fills the first
card before it touches the second. Here workers are spread, and no card ever holds more models
than fit into its memory.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from moseg.cluster.kinds import Kind

MOST_ON_CARD = 2
"""Workers of one sort on one card: two overlap their waiting; more only share its time."""


@dataclass(frozen=True)
class Node:
    """One machine of a cluster.

    Attributes:
        id: unlike the host's name, different for two nodes on one host.
        cards: memory of each GPU, in GB.
    """

    id: str
    host: str
    cpus: float
    memory_gb: float
    cards: tuple[float, ...] = ()


@dataclass(frozen=True)
class Place:
    """Room for one worker.

    Attributes:
        cpus: how many cores it takes; on a small node it makes do with all there are.
        card: which of the node's cards; None for a worker on the CPU.
        share: the part of the card that it takes, above 0 up to 1; 0 without a card.
    """

    node: str
    cpus: float
    card: int | None = None
    share: float = 0.0


@dataclass
class _Card:
    memory_gb: float
    free: float = 1.0
    kinds: Counter[str] = field(default_factory=Counter)

    def share(self, kind: Kind) -> float:
        """The part of the card that a worker takes, rounded up as Ray counts."""
        return math.ceil(kind.gpu_gb / self.memory_gb * 1e4) / 1e4

    def fits(self, kind: Kind) -> bool:
        return self.share(kind) <= self.free + 1e-9 and self.kinds[kind.name] < MOST_ON_CARD


@dataclass
class _Free:
    """What is free on a node."""

    node: Node
    cpus: float
    memory_gb: float
    cards: list[_Card]

    @classmethod
    def all_of(cls, node: Node) -> Self:
        return cls(node, node.cpus, node.memory_gb, [_Card(memory) for memory in node.cards])

    def cpus_for(self, kind: Kind) -> float:
        return min(kind.cpus, self.node.cpus)

    def fits(self, kind: Kind) -> bool:
        return self.cpus_for(kind) <= self.cpus + 1e-9 and kind.memory_gb <= self.memory_gb + 1e-9

    def place(self, kind: Kind, card: int | None = None) -> Place:
        share = self.cards[card].share(kind) if card is not None else 0.0
        return Place(self.node.id, self.cpus_for(kind), card, share)


class Fleet:
    """Nodes, and what workers have taken of them."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self._free: dict[str, _Free] = {}
        self.update(nodes)

    def update(self, nodes: Iterable[Node]) -> set[str]:
        """Take note of the nodes there are now; return the ids of those that are gone."""
        now = {node.id: node for node in nodes}
        gone = self._free.keys() - now.keys()
        for identifier in gone:
            del self._free[identifier]
        for identifier, node in now.items():
            self._free.setdefault(identifier, _Free.all_of(node))
        return set(gone)

    def take(self, kind: Kind) -> Place | None:
        """Reserve room for one worker in the emptiest place; None where there is none."""
        place = self._best(kind)
        if place is not None:
            self.occupy(kind, place)
        return place

    def occupy(self, kind: Kind, place: Place) -> None:
        """Reserve a certain place."""
        self._change(kind, place, 1)

    def give_back(self, kind: Kind, place: Place) -> None:
        """Undo `take`; does nothing where the node is gone."""
        if place.node in self._free:
            self._change(kind, place, -1)

    def could_fit(self, kind: Kind) -> bool:
        """Whether a worker would fit if nothing else were there."""
        return Fleet(free.node for free in self._free.values())._best(kind) is not None

    def _best(self, kind: Kind) -> Place | None:
        nodes = [free for free in self._free.values() if free.fits(kind)]
        if not kind.gpu_gb:
            if not nodes:
                return None
            best = max(nodes, key=lambda free: free.cpus / max(free.node.cpus, 1e-9))
            return best.place(kind)
        cards = [
            (card.kinds[kind.name], -card.free, free.place(kind, number))
            for free in nodes
            for number, card in enumerate(free.cards)
            if card.fits(kind)
        ]
        return min(cards, key=lambda found: found[:2])[2] if cards else None

    def _change(self, kind: Kind, place: Place, sign: int) -> None:
        free = self._free[place.node]
        free.cpus -= sign * place.cpus
        free.memory_gb -= sign * kind.memory_gb
        if place.card is not None:
            card = free.cards[place.card]
            card.free -= sign * place.share
            card.kinds[kind.name] += sign
