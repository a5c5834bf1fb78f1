"""The workers of a run: hired where calls wait and room is there, dismissed to make room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moseg.cluster.fleet import Fleet, Place
from moseg.cluster.hands import Hands
from moseg.cluster.kinds import Kind
from moseg.cluster.schedule import Call

GRACE = 1.0
"""Seconds that a worker waits for calls before it may have to make room."""

MOST_FAILED_STARTS = 3
"""Workers of one kind that end in a row before they are ready, until no more are started."""

LONGEST_WAIT = 600.0
"""Seconds to wait for a node that can hold a worker, where nodes may still come."""


@dataclass
class Member:
    """One worker.

    Attributes:
        process: `host:pid`; "" until it is ready.
        call: what it is at.
        since: when it got its call, or became free.
    """

    id: str
    kind: Kind
    place: Place
    since: float
    process: str = ""
    call: Call | None = None

    @property
    def free(self) -> bool:
        """Whether it can take a call."""
        return bool(self.process) and self.call is None


class Crew:
    """All workers of a run.

    Args:
        kinds: the sorts of workers of the plan.
        most: kind -> how many workers of it there may be, where that is limited.

    Attributes:
        members: by id, with those that are still starting.
        fleet: the nodes and what is free on them.
        hopeless: kind -> why no worker of it can be had.
    """

    def __init__(self, kinds: Iterable[Kind], hands: Hands, most: Mapping[str, int]) -> None:
        self.members: dict[str, Member] = {}
        self.fleet = Fleet()
        self.hopeless: dict[str, str] = {}
        self._kinds = tuple(kinds)
        self._hands = hands
        self._most = most
        self._kept: dict[str, Place] = {}
        self._failed_starts: Counter[str] = Counter()
        self._homeless_since: dict[str, float] = {}

    def look(self) -> list[Member]:
        """Look which nodes there are; return the workers whose node is gone."""
        gone = self.fleet.update(self._hands.nodes())
        self._kept = {kind: place for kind, place in self._kept.items() if place.node not in gone}
        for kind in self._kinds:
            present = any(member.kind is kind for member in self.members.values())
            if kind.gpu_gb and not present and kind.name not in self._kept:
                # Room on a card for one worker of each sort, before any sort has two.
                place = self.fleet.take(kind)
                if place is not None:
                    self._kept[kind.name] = place
        return [member for member in self.members.values() if member.place.node in gone]

    def hire(self, waiting: Mapping[str, int], now: float) -> None:
        """Start workers for the calls that wait, as far as there is room."""
        have = Counter(member.kind.name for member in self.members.values())
        coming = Counter(
            member.kind.name for member in self.members.values() if member.call is None
        )
        wishes: dict[Kind, int] = {}
        for kind in sorted(self._kinds, key=lambda kind: have[kind.name]):
            wanted = waiting.get(kind.name, 0) - coming[kind.name]
            allowed = self._most.get(kind.name, wanted + have[kind.name]) - have[kind.name]
            for missing in range(min(wanted, allowed), 0, -1):
                if kind.name in self.hopeless or not self._hire_one(kind, waiting, now):
                    wishes[kind] = missing
                    break
        self._hands.wish(wishes)

    def ready(self, worker: str, process: str, now: float) -> Member:
        """Take note that a worker has come up."""
        member = self.members[worker]
        member.process, member.since = process, now
        self._failed_starts[member.kind.name] = 0
        return member

    def lose(self, worker: str, cause: str) -> Member:
        """Take note that a worker is gone; return what it was."""
        member = self.members.pop(worker)
        self.fleet.give_back(member.kind, member.place)
        name = member.kind.name
        if not member.process:
            self._failed_starts[name] += 1
            if self._failed_starts[name] >= MOST_FAILED_STARTS:
                self.hopeless[name] = f"its workers end before they are ready ({cause})"
        return member

    def dismiss(self, member: Member) -> None:
        """End a worker."""
        self._hands.stop(member.id)
        del self.members[member.id]
        self.fleet.give_back(member.kind, member.place)

    def others(self, member: Member) -> bool:
        """Whether there is another worker of the same kind that takes calls."""
        return any(
            other.process and other.kind is member.kind and other is not member
            for other in self.members.values()
        )

    def _hire_one(self, kind: Kind, waiting: Mapping[str, int], now: float) -> bool:
        place = self._kept.pop(kind.name, None) or self.fleet.take(kind)
        place = place or self._make_room(kind, waiting, now)
        if place is None:
            self._judge(kind, now)
            return False
        identifier = self._hands.start(kind, place)
        self.members[identifier] = Member(identifier, kind, place, now)
        return True

    def _make_room(self, kind: Kind, waiting: Mapping[str, int], now: float) -> Place | None:
        """Dismiss the workers of a node that wait for nothing, if one of `kind` then fits."""
        spare: dict[str, list[Member]] = {}
        for member in self.members.values():
            needed = member.kind is kind or waiting.get(member.kind.name, 0)
            if member.free and not needed and now - member.since >= GRACE:
                spare.setdefault(member.place.node, []).append(member)
        for members in spare.values():
            for member in members:
                self.fleet.give_back(member.kind, member.place)
            place = self.fleet.take(kind)
            for member in members:
                self.fleet.occupy(member.kind, member.place)
            if place is not None:
                for member in members:
                    self.dismiss(member)
                return place
        return None

    def _judge(self, kind: Kind, now: float) -> None:
        """Give a kind up that fits on no node, empty as it may be."""
        if self.fleet.could_fit(kind):
            self._homeless_since.pop(kind.name, None)
            return
        since = self._homeless_since.setdefault(kind.name, now)
        if not self._hands.grows or now - since > LONGEST_WAIT:
            card = f", {kind.gpu_gb:g} GB on one GPU" if kind.gpu_gb else ""
            self.hopeless[kind.name] = (
                f"no node has room for it: it takes {kind.memory_gb:g} GB of memory{card}"
            )
