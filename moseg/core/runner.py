"""What every runner does: run a plan's stages over scenes, and report.

A `Plan` says what to run, a `Runner` decides where. A runner on a cluster may spread the
(stage, scene) pairs as it likes, as long as each is run by `moseg.core.execute.execute`
after the stages it needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moseg.core.device import CPU, Device
from moseg.core.layout import Layout
from moseg.core.progress import Listener
from moseg.core.scene import Scene
from moseg.core.stage import Backend

if TYPE_CHECKING:
    from moseg.core.execute import StageRecord


@dataclass(frozen=True)
class Plan:
    """The stages to run, in an order in which each comes after those it needs.

    Attributes:
        backends: one for each stage; small and picklable before `prepare`.
        required: stages that must already be in the cache -> what to run when they are not.
        layout: where artefacts lie.
        seed: the run's seed.
        devices: what GPU backends compute on; worker i takes the i-th, and round again.
        wanted: stages asked for by name; they are results like those that no stage reads.
    """

    backends: tuple[Backend[Any], ...]
    layout: Layout
    required: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    devices: tuple[Device, ...] = (CPU,)
    wanted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SceneResult:
    """The records of one scene, one for each stage of the plan."""

    scene: Scene
    records: tuple[StageRecord, ...]

    @property
    def failure(self) -> StageRecord | None:
        """The record of the stage that failed, or None."""
        return next((r for r in self.records if r.status == "failed"), None)

    @property
    def reused(self) -> bool:
        """True when nothing had to be computed."""
        return all(r.status in ("reused", "unneeded") for r in self.records)


class Runner(ABC):
    """Runs a plan over scenes. One failing scene never stops the others."""

    @abstractmethod
    def run(self, plan: Plan, scenes: Sequence[Scene], listener: Listener) -> list[SceneResult]:
        """Run all stages for all scenes; return one result a scene, in the order given.

        The artefacts do not depend on the runner, on its number of workers, or on the order
        in which scenes finish.
        """
