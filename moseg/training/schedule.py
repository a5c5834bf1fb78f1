"""The learning rate as a function of the step alone, so that nothing of it has to be stored."""

from __future__ import annotations

import math

from moseg.training.config import ScheduleParams


def rate_factor(params: ScheduleParams, step: int, steps: int) -> float:
    """Return the share of the highest learning rate with which step `step` is made.

    It rises in a line, so that the first step after the warm-up is made with all of it. Then it
    stays, or falls along half a cosine to `params.final`, which would be reached in step `steps`.

    Args:
        step: 0 .. steps - 1.
    """
    if step < params.warmup:
        return (step + 1) / (params.warmup + 1)
    if params.kind == "constant":
        return 1.0
    done = (step - params.warmup) / (steps - params.warmup)
    return params.final + (1 - params.final) * (1 + math.cos(math.pi * done)) / 2
