"""Plans, scenes and steps that are never computed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from moseg.cluster.schedule import Resolution
from moseg.core.cache import Decision
from moseg.core.device import CPU, Device
from moseg.core.execute import StageRecord
from moseg.core.layout import Layout, Slot
from moseg.core.manifest import Identity
from moseg.core.resolve import Step
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.core.stage import Backend, NoParams, Resources
from moseg.core.stage import Report as StageReport


class Nothing(Backend[NoParams]):
    """A stage that is never computed."""

    stage, name, version = "", "toy", 1

    def run(self, task):  # noqa: ARG002
        return StageReport()


def toy(stage: str, *needs: str, **resources: float) -> Backend[NoParams]:
    """Return a backend by its stage, what that needs, and `Resources`."""
    fields = {"stage": stage, "needs": needs, "resources": Resources(**resources)}
    return type(stage, (Nothing,), fields)(NoParams())


def plan_of(*backends: Backend, device: str = "cpu") -> Plan:
    """Return a plan that computes on a device; stages come after those they need."""
    devices = (Device(device) if device != "cpu" else CPU,)
    return Plan(backends, Layout(Path("/nowhere")), devices=devices)


def scenes_of(number: int) -> list[Scene]:
    """Return scenes s0, s1, ... that are nowhere."""
    return [Scene(f"s{i}", Path(f"/nowhere/s{i}.mp4"), "video") for i in range(number)]


def step_of(scene: Scene, stage: str) -> Step:
    """Return a step that has to run."""
    identity = Identity(
        stage=stage, backend="toy", backend_version=1, params={}, seed=None, source={}, needs={}
    )
    slot = Slot(Path("/nowhere"), Path("/nowhere"))
    decision = Decision(None, "not made yet")
    return Step(scene, stage, "toy", slot, {}, identity, decision, needed=True)


def everything(plan: Plan, scene: Scene, kept: Iterable[str] = ()) -> Resolution:
    """Return that all stages of a scene have to run, but those that are kept."""
    kept = set(kept)
    stages = [backend.stage for backend in plan.backends]
    return Resolution(
        steps=tuple(step_of(scene, stage) for stage in stages if stage not in kept),
        kept=tuple(StageRecord(scene.name, s, "toy", "reused") for s in stages if s in kept),
    )
