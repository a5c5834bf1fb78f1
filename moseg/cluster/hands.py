"""What the driver asks of a cluster: nodes, workers, calls. Ray behind it, or a simulation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from moseg.cluster.fleet import Node, Place
from moseg.cluster.kinds import Kind
from moseg.cluster.schedule import Job, Resolution
from moseg.core.execute import StageRecord


@dataclass(frozen=True)
class Started:
    """A worker is ready for calls; `process` is `host:pid`."""

    worker: str
    process: str


@dataclass(frozen=True)
class Answered:
    """A worker is through with its call."""

    worker: str
    answer: StageRecord | Resolution


@dataclass(frozen=True)
class Died:
    """A worker is gone, and with it the call it was at.

    Attributes:
        cause: a few words.
        lost_node: its whole node went.
    """

    worker: str
    cause: str
    lost_node: bool = False


Report = Started | Answered | Died


class Hands(ABC):
    """Starts and stops workers and brings them calls. Nothing here waits but `wait`."""

    grows: bool = False
    """Whether nodes may come that are not there yet."""

    @abstractmethod
    def nodes(self) -> list[Node]:
        """Return the nodes that are alive now."""

    @abstractmethod
    def start(self, kind: Kind, place: Place) -> str:
        """Begin to start a worker and return its id; `Started` or `Died` follows."""

    @abstractmethod
    def stop(self, worker: str) -> None:
        """End a worker at once; nothing more is reported of it."""

    @abstractmethod
    def give(self, worker: str, job: Job) -> None:
        """Bring a worker that has none a call; `Answered` or `Died` follows."""

    @abstractmethod
    def wait(self, seconds: float) -> list[Report]:
        """Return what has happened; at once if anything has, else when something does.

        Args:
            seconds: how long to wait at most.
        """

    def wish(self, workers: Mapping[Kind, int]) -> None:  # noqa: B027
        """Say for how many more workers room is wanted, for clusters that can grow."""

    def remarks(self) -> list[str]:
        """Return what a person should know of the nodes, each thing once."""
        return []

    def progress(self, worker: str) -> tuple[int, int] | None:  # noqa: ARG002
        """Return frames done and in all of a worker's call, as far as that is known now."""
        return None
