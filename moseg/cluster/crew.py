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

PAUSE = 0.2
"""Seconds between two looks for workers that may have to make room for one of a kind."""

STUCK = 30.0
"""Seconds after which a worker that is starting seems to wait for room that others hold."""

LONGEST_START = 300.0
"""Seconds after which a worker that has not come up is ended."""

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


class Crew:
    """All workers of a run. A call costs the same however many there are.

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
        self._have: Counter[str] = Counter()
        self._starting: dict[str, dict[str, Member]] = {kind.name: {} for kind in self._kinds}
        self._free: dict[str, dict[str, Member]] = {kind.name: {} for kind in self._kinds}
        self._kept: dict[str, Place] = {}
        self._failed_starts: Counter[str] = Counter()
        self._homeless_since: dict[str, float] = {}
        self._looked_for_room: dict[str, float] = {}

    def look(self) -> list[Member]:
        """Look which nodes there are; return the workers whose node is gone."""
        gone = self.fleet.update(self._hands.nodes())
        self._kept = {kind: place for kind, place in self._kept.items() if place.node not in gone}
        for kind in self._kinds:
            name = kind.name
            settled = self._have[name] or name in self._kept or name in self.hopeless
            if kind.gpu_gb and not settled:
                # Room on a card for one worker of each sort, before any sort has two.
                place = self.fleet.take(kind)
                if place is not None:
                    self._kept[name] = place
        return [member for member in self.members.values() if member.place.node in gone]

    def hire(self, waiting: Mapping[str, int], now: float) -> None:
        """Start workers for the calls that wait, as far as there is room."""
        wishes: dict[Kind, int] = {}
        for kind in sorted(self._kinds, key=lambda kind: self._have[kind.name]):
            name, have = kind.name, self._have[kind.name]
            wanted = waiting.get(name, 0) - len(self._starting[name]) - len(self._free[name])
            allowed = self._most.get(name, wanted + have) - have
            for missing in range(min(wanted, allowed), 0, -1):
                if name in self.hopeless or not self._hire_one(kind, waiting, now):
                    wishes[kind] = missing
                    break
        self._hands.wish(wishes)

    def ready(self, worker: str, process: str, now: float) -> Member:
        """Take note that a worker has come up."""
        member = self.members[worker]
        member.process = process
        name = member.kind.name
        del self._starting[name][worker]
        self._failed_starts[name] = 0
        self.hopeless.pop(name, None)
        self.through(member, now)
        return member

    def free(self, kind: str) -> Member | None:
        """Return a worker of a kind that can take a call, the one that had its last most lately."""
        return next(reversed(self._free[kind].values()), None)

    def at_work(self, member: Member, call: Call, now: float) -> None:
        """Take note that a free worker has got a call."""
        member.call, member.since = call, now
        del self._free[member.kind.name][member.id]

    def through(self, member: Member, now: float) -> None:
        """Take note that a worker has no call any more."""
        member.call, member.since = None, now
        self._free[member.kind.name][member.id] = member

    def has(self, kind: str) -> bool:
        """Whether there are workers of a kind, if only such that are starting."""
        return self._have[kind] > 0

    def lose(self, worker: str, cause: str, lost_node: bool) -> Member:
        """Take note that a worker is gone, alone or with its node; return what it was."""
        member = self.members[worker]
        self._forget(member)
        self.fleet.give_back(member.kind, member.place)
        name = member.kind.name
        if lost_node or not member.process:
            self.fleet.blame(member.place.node)
        if not member.process and not lost_node:
            self._failed_starts[name] += 1
            if self._failed_starts[name] >= MOST_FAILED_STARTS:
                self.hopeless[name] = f"its workers end before they are ready ({cause})"
        return member

    def starting_for(self, seconds: float, now: float) -> list[Member]:
        """Return the workers that have not come up for so long."""
        return [
            member
            for members in self._starting.values()
            for member in members.values()
            if now - member.since >= seconds
        ]

    def idle(self, waiting: Mapping[str, int], now: float) -> list[Member]:
        """Return the workers that have had no call for a while and get none now."""
        return [
            member
            for kind, free in self._free.items()
            if not waiting.get(kind, 0)
            for member in free.values()
            if now - member.since >= GRACE
        ]

    def restart(self, now: float) -> None:
        """End workers that do not come up; others are started for them, on other nodes first."""
        for member in self.starting_for(LONGEST_START, now):
            self.fleet.blame(member.place.node)
            self.dismiss(member)

    def dismiss(self, member: Member) -> None:
        """End a worker."""
        self._hands.stop(member.id)
        self._forget(member)
        self.fleet.give_back(member.kind, member.place)

    def _forget(self, member: Member) -> None:
        name = member.kind.name
        del self.members[member.id]
        self._have[name] -= 1
        self._starting[name].pop(member.id, None)
        self._free[name].pop(member.id, None)

    def _hire_one(self, kind: Kind, waiting: Mapping[str, int], now: float) -> bool:
        place = self._kept.pop(kind.name, None) or self.fleet.take(kind)
        if place is None and not self._have[kind.name]:
            self._release(waiting)
            place = self.fleet.take(kind)
        place = place or self._make_room(kind, waiting, now)
        if place is None:
            self._judge(kind, now)
            return False
        self._homeless_since.pop(kind.name, None)
        identifier = self._hands.start(kind, place)
        member = Member(identifier, kind, place, now)
        self.members[identifier] = self._starting[kind.name][identifier] = member
        self._have[kind.name] += 1
        return True

    def _release(self, waiting: Mapping[str, int]) -> None:
        """Give room up that is kept for kinds which nothing waits for."""
        for kind in self._kinds:
            if kind.name in self._kept and not waiting.get(kind.name, 0):
                self.fleet.give_back(kind, self._kept.pop(kind.name))

    def _make_room(self, kind: Kind, waiting: Mapping[str, int], now: float) -> Place | None:
        """Dismiss workers of one node that wait for nothing, if one of `kind` then fits."""
        if now - self._looked_for_room.get(kind.name, -PAUSE) < PAUSE:
            return None
        for node, members in self._idle_by_node(waiting, now).items():
            gone: list[Member] = []
            place = None
            for member in members:
                if place is None:
                    self.fleet.give_back(member.kind, member.place)
                    gone.append(member)
                    place = self.fleet.take_on(node, kind)
            for member in reversed(gone):  # who need not go stays
                if not self.fleet.take_again(member.kind, member.place):
                    self._hands.stop(member.id)
                    self._forget(member)
            if place is not None:
                return place
        self._looked_for_room[kind.name] = now
        return None

    def _idle_by_node(self, waiting: Mapping[str, int], now: float) -> dict[str, list[Member]]:
        """Return, by node, the workers that wait for nothing, the longest idle first."""
        nodes: dict[str, list[Member]] = {}
        for member in sorted(self.idle(waiting, now), key=lambda member: member.since):
            nodes.setdefault(member.place.node, []).append(member)
        return nodes

    def _judge(self, kind: Kind, now: float) -> None:
        """Give a kind up that fits on no node, empty as it may be."""
        if self.fleet.could_fit(kind):
            self._homeless_since.pop(kind.name, None)
            return
        since = self._homeless_since.setdefault(kind.name, now)
        # Where no node is there at all yet, one may be on its way on any cluster.
        complete = len(self.fleet) > 0 and not self._hands.grows
        if complete or now - since > LONGEST_WAIT:
            card = f", {kind.gpu_gb:g} GB on one GPU" if kind.gpu_gb else ""
            self.hopeless[kind.name] = (
                f"no node has room for it: it takes {kind.memory_gb:g} GB of memory{card}"
            )
