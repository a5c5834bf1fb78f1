"""Workers as Ray actors. Only paths and small records pass through Ray."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
)
from ray.util.client import ray as client
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import (
    NodeAffinitySchedulingStrategy,
    PlacementGroupSchedulingStrategy,
)

from moseg.cluster.cards import CardSizes
from moseg.cluster.fleet import Node, Place
from moseg.cluster.hands import Answered, Died, Hands, Report, Started
from moseg.cluster.kinds import Kind, kinds_of
from moseg.cluster.ray_worker import RayWorker
from moseg.cluster.schedule import Job
from moseg.core.resolve import Step
from moseg.core.runner import Plan

GB = 1e9

WISH_EVERY = 5.0
"""Seconds between two wishes to the autoscaler."""


@dataclass
class _Actor:
    handle: Any
    place: Place
    answer: Any
    """Reference to what it was last asked for."""
    started: bool = False
    progress: Any = None
    frames: tuple[int, int] | None = None


@dataclass
class _Card:
    """A whole GPU that Ray gave to this run, and how many workers are on it."""

    group: PlacementGroup
    workers: set[str] = field(default_factory=set)


class RayHands(Hands):
    """A Ray cluster that this process is connected to.

    Args:
        plan: goes to each worker once.
        grows: nodes may come later.
    """

    def __init__(self, plan: Plan, grows: bool) -> None:
        self.grows = grows
        self._plan = ray.put(plan)
        self._class = ray.remote(concurrency_groups={"watch": 1})(RayWorker)
        self._actors: dict[str, _Actor] = {}
        self._pending: dict[Any, str] = {}
        self._cards: dict[tuple[str, int], _Card] = {}
        self._sizes = CardSizes() if any(kind.gpu_gb for kind in kinds_of(plan)) else None
        self._wished: tuple[float, Mapping[Kind, int]] = (0.0, {})

    def nodes(self) -> list[Node]:
        """See `Hands.nodes`."""
        found = []
        for node in ray.nodes():
            if not node["Alive"]:
                continue
            has = node["Resources"]
            cards = int(has.get("GPU", 0)) if self._sizes else 0
            size = self._sizes.of(node) if self._sizes and cards else 0.0
            if cards and size is None:
                continue  # it is being asked how large its cards are
            found.append(
                Node(
                    id=node["NodeID"],
                    host=node["NodeManagerHostname"],
                    cpus=has.get("CPU", 0.0),
                    memory_gb=has.get("memory", 0.0) / GB,
                    cards=(size,) * cards if size else (),
                )
            )
        return found

    def start(self, kind: Kind, place: Place) -> str:
        """See `Hands.start`."""
        identifier = uuid.uuid4().hex[:12]
        if place.card is None:
            options: dict[str, Any] = {
                "num_cpus": place.cpus,
                "memory": int(kind.memory_gb * GB),
                "scheduling_strategy": NodeAffinitySchedulingStrategy(place.node, soft=False),
            }
        else:
            card = self._card(place)
            card.workers.add(identifier)
            options = {
                "num_cpus": 0,
                "num_gpus": place.share,
                "scheduling_strategy": PlacementGroupSchedulingStrategy(card.group, 0),
            }
        handle = self._class.options(max_restarts=0, **options).remote(self._plan, kind)
        self._actors[identifier] = _Actor(handle, place, None)
        self._ask(identifier, handle.hello.remote())
        return identifier

    def stop(self, worker: str) -> None:
        """See `Hands.stop`."""
        actor = self._forget(worker)
        if actor is not None:
            _kill(actor)

    def give(self, worker: str, job: Job) -> None:
        """See `Hands.give`."""
        handle = self._actors[worker].handle
        if isinstance(job, Step):
            self._ask(worker, handle.run.remote(job))
        else:
            self._ask(worker, handle.resolve.remote(*job))

    def wait(self, seconds: float) -> list[Report]:
        """See `Hands.wait`."""
        if not self._pending:
            time.sleep(seconds)
            return []
        references = list(self._pending)
        done, _ = ray.wait(references, num_returns=1, timeout=seconds)
        if done:
            done, _ = ray.wait(references, num_returns=len(references), timeout=0)
        return [self._report(reference) for reference in done]

    def wish(self, workers: Mapping[Kind, int]) -> None:
        """See `Hands.wish`: an autoscaler, where there is one, is told."""
        then, before = self._wished
        if not self.grows or workers == before or time.monotonic() - then < WISH_EVERY:
            return
        self._wished = (time.monotonic(), dict(workers))
        bundles: list[dict[str, float]] = []
        for kind, number in workers.items():
            bundle = {"CPU": kind.cpus, **({"GPU": 1.0} if kind.gpu_gb else {})}
            bundles += [bundle] * number
        _request(bundles)

    def close(self) -> None:
        """Take the last wish back: a cluster would be kept that large for good."""
        if self._wished[1] and is_connected():
            with suppress(RayError, ConnectionError):
                _request([])

    def remarks(self) -> list[str]:
        """See `Hands.remarks`."""
        if self._sizes is None:
            return []
        said, self._sizes.remarks = self._sizes.remarks, []
        return said

    def progress(self, worker: str) -> tuple[int, int] | None:
        """See `Hands.progress`; what is returned was true when it was last asked for."""
        actor = self._actors[worker]
        if actor.progress is not None:
            done, _ = ray.wait([actor.progress], timeout=0)
            if not done:
                return actor.frames
            try:
                actor.frames = ray.get(actor.progress)
            except RayError:
                actor.frames = None
        actor.progress = actor.handle.progress.options(concurrency_group="watch").remote()
        return actor.frames

    def _ask(self, worker: str, reference: Any) -> None:
        self._actors[worker].answer = reference
        self._pending[reference] = worker

    def _report(self, reference: Any) -> Report:
        worker = self._pending.pop(reference)
        actor = self._actors[worker]
        try:
            answer = ray.get(reference)
        except ConnectionError:
            raise  # the cluster is gone, not a worker
        except (RayError, OSError) as error:
            self._forget(worker)
            _kill(actor)
            return Died(worker, *_cause(error, actor))
        if not actor.started:
            actor.started = True
            return Started(worker, answer)
        return Answered(worker, answer)

    def _forget(self, worker: str) -> _Actor | None:
        actor = self._actors.pop(worker, None)
        if actor is None:
            return None
        self._pending.pop(actor.answer, None)
        place = actor.place
        if place.card is not None:
            card = self._cards[place.node, place.card]
            card.workers.discard(worker)
            if not card.workers:
                remove_placement_group(card.group)
                del self._cards[place.node, place.card]
        return actor

    def _card(self, place: Place) -> _Card:
        """Return the card at a place; Ray is asked for all of it when it is first used."""
        assert place.card is not None
        key = (place.node, place.card)
        if key not in self._cards:
            group = placement_group(
                [{"GPU": 1}], bundle_label_selector=[{"ray.io/node-id": place.node}]
            )
            self._cards[key] = _Card(group)
        return self._cards[key]


def is_connected() -> bool:
    """Whether Ray still has its cluster."""
    try:
        return bool(ray.is_initialized())
    except Exception:  # a client that was cut off raises nothing more special
        return False


def _request(bundles: list[dict[str, float]]) -> None:
    """Ask the autoscaler for room; a driver outside of the cluster lets a task there do it."""
    from ray.autoscaler.sdk import request_resources

    if client.is_connected():
        ray.remote(num_cpus=0)(request_resources).remote(bundles=bundles)
    else:
        request_resources(bundles=bundles)


def _kill(actor: _Actor) -> None:
    if is_connected():
        with suppress(RayError, ConnectionError):
            ray.kill(actor.handle)


def _cause(error: Exception, actor: _Actor) -> tuple[str, bool]:
    """Return why a worker is gone in a few words, and whether its node went with it."""
    if isinstance(error, OutOfMemoryError):
        return "Ray ended it, since the machine ran out of memory", False
    if isinstance(error, RayTaskError):
        said = str(error.cause).splitlines() or [type(error.cause).__name__]
        return f"it cannot run: {said[0]}", False
    # A worker that is unavailable has a node that does not answer; Ray gives that up much later.
    there = any(n["NodeID"] == actor.place.node and n["Alive"] for n in ray.nodes())
    if isinstance(error, ActorUnavailableError) or not there:
        return "its node was lost", True
    if isinstance(error, RayActorError) and not actor.started:
        last = (str(error).strip().splitlines() or [""])[-1].strip()
        return f"it does not start: {last}; each node needs the same moseg", False
    if isinstance(error, RayActorError):
        return "its process ended, often since the machine ran out of memory", False
    return type(error).__name__, False
