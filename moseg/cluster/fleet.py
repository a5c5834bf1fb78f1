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
    """What is free on a node, and how many workers did not come up there or went with it."""

    node: Node
    cpus: float
    memory_gb: float
    cards: list[_Card]
    blame: int = 0

    @classmethod
    def all_of(cls, node: Node) -> Self:
        return cls(node, node.cpus, node.memory_gb, [_Card(memory) for memory in node.cards])

    def cpus_for(self, kind: Kind) -> float:
        return min(kind.cpus, self.node.cpus)

    def fits(self, kind: Kind) -> bool:
        # A node without cores is one on which nothing shall run.
        cores = self.node.cpus > 0 and self.cpus_for(kind) <= self.cpus + 1e-9
        return cores and kind.memory_gb <= self.memory_gb + 1e-9

    def place(self, kind: Kind, card: int | None = None) -> Place:
        share = self.cards[card].share(kind) if card is not None else 0.0
        return Place(self.node.id, self.cpus_for(kind), card, share)


class Fleet:
    """Nodes, and what workers have taken of them."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self._free: dict[str, _Free] = {}
        self._full: set[str] = set()  # kinds that found no place since anything came free
        self.update(nodes)

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self._free)

    def update(self, nodes: Iterable[Node]) -> set[str]:
        """Take note of the nodes there are now; return the ids of those that are gone."""
        now = {node.id: node for node in nodes}
        gone = self._free.keys() - now.keys()
        for identifier in gone:
            del self._free[identifier]
        for identifier, node in now.items():
            if identifier not in self._free:
                self._free[identifier] = _Free.all_of(node)
                self._full.clear()
        return set(gone)

    def take(self, kind: Kind) -> Place | None:
        """Reserve room for one worker in the emptiest place; None where there is none."""
        if kind.name in self._full:
            return None
        place = _best(kind, self._free.values())
        if place is None:
            self._full.add(kind.name)
        else:
            self._change(kind, place, 1)
        return place

    def take_on(self, node: str, kind: Kind) -> Place | None:
        """Reserve room for one worker on a certain node; None where there is none."""
        place = _best(kind, [self._free[node]])
        if place is not None:
            self._change(kind, place, 1)
        return place

    def take_again(self, kind: Kind, place: Place) -> bool:
        """Reserve a place that was given back, if it is still free; return whether it is."""
        free = self._free[place.node]
        card = free.cards[place.card] if place.card is not None else None
        if not free.fits(kind) or (card is not None and not card.fits(kind)):
            return False
        self._change(kind, place, 1)
        return True

    def give_back(self, kind: Kind, place: Place) -> None:
        """Undo `take`; does nothing where the node is gone."""
        if place.node in self._free:
            self._change(kind, place, -1)
            self._full.clear()

    def blame(self, node: str) -> None:
        """Take note of a worker that a node lost or let wait: others are preferred from now on."""
        if node in self._free:
            self._free[node].blame += 1

    def could_fit(self, kind: Kind) -> bool:
        """Whether a worker would fit if nothing else were there."""
        empty = (_Free.all_of(free.node) for free in self._free.values())
        return any(_best(kind, [node]) is not None for node in empty)

    def _change(self, kind: Kind, place: Place, sign: int) -> None:
        free = self._free[place.node]
        free.cpus -= sign * place.cpus
        free.memory_gb -= sign * kind.memory_gb
        if place.card is not None:
            card = free.cards[place.card]
            card.free -= sign * place.share
            card.kinds[kind.name] += sign


def _best(kind: Kind, nodes: Iterable[_Free]) -> Place | None:
    """Return the emptiest place for a worker on the nodes with the least blame, or None."""
    nodes = [free for free in nodes if free.fits(kind)]
    if not nodes:
        return None
    if not kind.gpu_gb:
        return min(nodes, key=lambda free: (free.blame, -free.cpus / free.node.cpus)).place(kind)
    cards = [
        (free.blame, card.kinds[kind.name], -card.free, index, number)
        for index, free in enumerate(nodes)
        for number, card in enumerate(free.cards)
        if card.fits(kind)
    ]
    if not cards:
        return None
    *_, index, number = min(cards)
    return nodes[index].place(kind, number)
