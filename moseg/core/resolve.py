"""What has to be done for one scene: each stage's identity, its cache, and who needs it.

Identities chain through keys alone, so all of them are known before anything runs. A stage
whose artefact is gone is computed only when a stage that needs it has to be computed too;
working artefacts may thus be deleted to save space once the results are there. Results are
compared with their manifests by content, working artefacts by size: those are large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moseg.core.cache import Decision, confirm, decide, refuse_foreign
from moseg.core.claims import Claim
from moseg.core.errors import MosegError
from moseg.core.layout import Slot
from moseg.core.manifest import Identity
from moseg.core.remote.recognise import recognise
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.core.seeds import derive_seed
from moseg.core.stage import Backend


@dataclass(frozen=True)
class Step:
    """One stage of one scene; small, and can be sent to another process or machine.

    Attributes:
        backend: name of the backend that does it.
        inputs: needed stage -> where its artefact lies.
        identity: all that the artefact's bytes depend on.
        decision: whether what lies in `slot` can be reused.
        needed: the artefact is a result, or a stage that has to run reads it.
        claim: that on the scene; None where nobody else can be at work on it.
    """

    scene: Scene
    stage: str
    backend: str
    slot: Slot
    inputs: Mapping[str, Slot]
    identity: Identity
    decision: Decision
    needed: bool
    claim: Claim | None = None

    def check_claim(self) -> None:
        """Make sure that the scene is still this run's.

        Raises:
            OutputError: another run took it over.
        """
        if self.claim is not None:
            self.claim.check(self.scene.name)

    @property
    def must_run(self) -> bool:
        """True when the artefact has to be computed."""
        return self.needed and self.decision.manifest is None


def resolve(plan: Plan, scene: Scene, claim: Claim | None = None) -> list[Step]:
    """Return the steps of one scene, in the order of the plan.

    Raises:
        MosegError: the input cannot be read, a stage that `plan.required` names is needed
            and is not in the cache, or a folder that moseg did not make is in the way.
    """
    slots = {b.stage: plan.layout.slot(scene.name, b.stage, b.suffix) for b in plan.backends}
    identities: dict[str, Identity] = {}
    scene = recognise(scene, plan.layout)
    for backend in plan.backends:
        identities[backend.stage] = _identity(plan, scene, backend, identities)
    decisions = {stage: decide(slots[stage], identities[stage]) for stage in slots}
    results = _results(plan)
    for stage in results:
        decisions[stage] = confirm(slots[stage], decisions[stage])
    needed = _needed(plan, decisions, results)
    for stage, hint in plan.required.items():
        if stage in needed and decisions[stage].manifest is None:
            reason = _first_reason(plan, decisions, stage)
            if "changed" in reason:
                hint = f"give the same settings as in the earlier run, or {hint}"
            raise MosegError(f"{scene.name}: {stage} cannot be used ({reason}); {hint}")
    for stage in slots:
        if stage in needed and decisions[stage].manifest is None:
            refuse_foreign(slots[stage])
    return [
        Step(
            scene=scene,
            stage=backend.stage,
            backend=backend.name,
            slot=slots[backend.stage],
            inputs={name: slots[name] for name in backend.needs},
            identity=identities[backend.stage],
            decision=decisions[backend.stage],
            needed=backend.stage in needed,
            claim=claim,
        )
        for backend in plan.backends
    ]


def _identity(
    plan: Plan, scene: Scene, backend: Backend[Any], identities: Mapping[str, Identity]
) -> Identity:
    precision = {"precision": plan.devices[0].precision} if backend.uses_gpu else {}
    return Identity(
        stage=backend.stage,
        backend=backend.name,
        backend_version=backend.version,
        params=backend.params.model_dump(mode="json", exclude=set(backend.params.harmless)),
        seed=derive_seed(plan.seed, backend.stage, scene.name) if backend.seeded else None,
        source=backend.identity(scene) | precision,
        needs={name: identities[name].key for name in backend.needs},
    )


def _results(plan: Plan) -> set[str]:
    """Return the stages that a person keeps: public or wanted ones, and those no stage reads."""
    stages = {backend.stage for backend in plan.backends}
    read = {name for backend in plan.backends for name in backend.needs}
    return (stages - read) | (stages & (plan.layout.public.keys() | plan.wanted))


def _needed(plan: Plan, decisions: Mapping[str, Decision], results: set[str]) -> set[str]:
    """Return the stages that are results, or that a stage which has to run reads."""
    needed = set(results)
    for backend in reversed(plan.backends):
        if backend.stage in needed and decisions[backend.stage].manifest is None:
            needed.update(backend.needs)
    return needed


def _first_reason(plan: Plan, decisions: Mapping[str, Decision], stage: str) -> str:
    """Return why an artefact does not fit, going back to the first stage that changed."""
    behind = {stage}
    for backend in reversed(plan.backends):
        if backend.stage in behind:
            behind.update(backend.needs)
    if decisions[stage].reason.startswith("it depends on"):
        for backend in plan.backends:
            reason = decisions[backend.stage].reason
            if backend.stage in behind and "changed" in reason:
                return f"{backend.stage}: {reason}"
    return decisions[stage].reason
