"""What every runner does: run a plan's stages over scenes, and report.

A `Plan` says what to run, a `Runner` decides where. A runner may spread the (stage, scene)
pairs as it likes, as long as each is run by a `moseg.core.execute.Workbench` after the stages
it needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from moseg.core.claims import ClaimedScenes
from moseg.core.device import CPU, Device, Precision
from moseg.core.layout import Layout
from moseg.core.progress import Event, Listener
from moseg.core.remote.claims import claims_on
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
    """Runs a plan over scenes. One failing scene never stops the others.

    Attributes:
        name: what `run.json` calls it.
    """

    name: ClassVar[str]

    def run(self, plan: Plan, scenes: Sequence[Scene], listener: Listener) -> list[SceneResult]:
        """Run all stages for all scenes; return one result a scene, in the order given.

        The artefacts do not depend on the runner, on its number of workers, or on the order
        in which scenes finish. Scenes that another run works on are left to it, and looked at
        again when it is through with them.
        """
        listener.handle(Event("scenes", total=len(scenes)))
        results: dict[str, SceneResult] = {}
        with claims_on(plan.layout) as claims:
            for result in self._results(plan, ClaimedScenes(scenes, claims, listener), listener):
                claims.release(result.scene.name)
                listener.handle(Event("scene", result.scene.name, result=result))
                results[result.scene.name] = result
        return [results[scene.name] for scene in scenes]

    @abstractmethod
    def devices(self, request: str, precision: Precision) -> tuple[Device, ...]:
        """Return what GPU backends can compute on here.

        Args:
            request: the device of the settings: `auto`, `cpu`, `cuda` or `cuda:N`.

        Raises:
            BackendError: a GPU is asked for and there is none.
        """

    @abstractmethod
    def _results(
        self, plan: Plan, queue: ClaimedScenes, listener: Listener
    ) -> Iterator[SceneResult]:
        """Yield the result of each scene when it is over."""
