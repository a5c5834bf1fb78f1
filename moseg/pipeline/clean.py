"""Delete working files that no result needs any more."""

from __future__ import annotations

from collections.abc import Sequence

from moseg.core.cache import discard
from moseg.core.claims import Claim
from moseg.core.remote.claims import claims_on
from moseg.core.runner import Plan, SceneResult

WORKING = ("flow", "depths")
"""Stages whose artefacts are large and, without a network, soon made again."""


def remove_working_files(plan: Plan, results: Sequence[SceneResult]) -> list[str]:
    """Delete the working artefacts of finished scenes; return one line for each.

    A later run makes them again only where a stage that has to run reads them. Scenes that
    another run works on now are left alone.
    """
    lines = []
    with claims_on(plan.layout) as claims:
        for result in results:
            name = result.scene.name
            if not result.failure and isinstance(claims.take(name), Claim):
                lines += _remove(plan, name)
                claims.release(name)
    return lines


def _remove(plan: Plan, scene: str) -> list[str]:
    lines = []
    for stage in sorted(set(WORKING) - plan.wanted - _costly(plan)):
        slot = plan.layout.slot(scene, stage)
        size = discard(slot)
        if size:
            lines.append(f"{scene}: removed {slot.place} ({size / 1e6:.0f} MB)")
    return lines


def _costly(plan: Plan) -> set[str]:
    """Return the stages by networks that no finished stage of the plan has read yet."""
    read = {
        stage for backend in plan.backends for stage in backend.needs if backend.stage == "labels"
    }
    return {backend.stage for backend in plan.backends if backend.uses_gpu} - read
