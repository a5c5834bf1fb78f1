"""The picture of where the driver saturates: calls a second against workers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ray_cases.simulated_hands import Faults
from ray_cases.simulation import simulate
from ray_cases.virtual import RayCosts
from ray_cases.workloads import Workload, builtin

WORKERS = (16, 64, 256, 1024, 4096)
MEANS = (10.0, 2.0, 0.5, 0.1)
"""Mean seconds of a call, one curve each."""

HEIGHT, WIDTH, LEFT, BOTTOM, TOP, RIGHT = 520, 720, 80, 60, 40, 40
COLOURS = ((178, 114, 0), (0, 158, 115)[::-1], (0, 94, 213), (167, 121, 204))
GREY, BLACK, LIGHT = (120, 120, 120), (30, 30, 30), (228, 228, 228)
LEAST, MOST = (10.0, 1.0), (6000.0, 10_000.0)
"""Workers and calls a second at the ends of the two axes, both logarithmic."""


@dataclass(frozen=True)
class Curve:
    """Calls a second for each number of workers, at one mean time of a call."""

    mean: float
    points: tuple[tuple[int, float], ...]


def throughput_curves(
    costs: RayCosts, workers: Sequence[int] = WORKERS, means: Sequence[float] = MEANS
) -> list[Curve]:
    """Simulate each number of workers with each mean time of a call."""
    return [Curve(mean, tuple(_points(builtin(), costs, workers, mean))) for mean in means]


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Write the picture as a PNG; dashed lines are what workers without a driver would do."""
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    _axes(image)
    for curve, colour in zip(curves, COLOURS, strict=False):
        ideal = [(number, number / curve.mean) for number, _ in curve.points]
        for a, b in pairwise(_inside(ideal)):
            _dashed(image, _at(*a), _at(*b), colour)
        at = [_at(*point) for point in curve.points]
        for one, two in pairwise(at):
            cv2.line(image, one, two, colour, 2, cv2.LINE_AA)
        for one in at:
            cv2.circle(image, one, 4, colour, -1, cv2.LINE_AA)
        _text(image, f"calls of {curve.mean:g} s", (at[0][0] + 14, at[0][1] + 14), colour)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _points(
    workload: Workload, costs: RayCosts, workers: Sequence[int], mean: float
) -> Iterator[tuple[int, float]]:
    for number in workers:
        cluster = workload.cluster(number, mean)
        outcome = simulate(workload.plan, cluster, 3 * number, costs, Faults())
        yield outcome.workers, outcome.calls_a_second


def _axes(image: NDArray[np.uint8]) -> None:
    for number in (10, 100, 1000, 4096):
        x, y = _at(number, LEAST[1])
        cv2.line(image, (x, y), (x, TOP), LIGHT, 1)
        _text(image, f"{number}", (x - 4 * len(str(number)), y + 20), GREY)
    for rate in (1, 10, 100, 1000, 10_000):
        x, y = _at(LEAST[0], rate)
        cv2.line(image, (x, y), (WIDTH - RIGHT, y), LIGHT, 1)
        _text(image, f"{rate}", (x - 10 - 9 * len(str(rate)), y + 5), GREY)
    _text(image, "workers", (LEFT + (WIDTH - LEFT - RIGHT) // 2 - 30, HEIGHT - 16), BLACK)
    _text(image, "calls a second (dashed: as many as the workers could do)", (LEFT, 24), BLACK)


def _at(workers: float, rate: float) -> tuple[int, int]:
    """Return the pixel of a point."""
    across = math.log(workers / LEAST[0]) / math.log(MOST[0] / LEAST[0])
    up = math.log(rate / LEAST[1]) / math.log(MOST[1] / LEAST[1])
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - BOTTOM - TOP
    return round(LEFT + across * wide), round(HEIGHT - BOTTOM - up * high)


def _inside(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a line of slope 1 as far as the picture goes."""
    (workers, rate), (last, _) = points[0], points[-1]
    slope = rate / workers
    return [(workers, rate), (min(last, MOST[1] / slope), min(last * slope, MOST[1]))]


def _dashed(
    image: NDArray[np.uint8],
    begin: tuple[int, int],
    end: tuple[int, int],
    colour: tuple[int, ...],
) -> None:
    number = max(2, round(math.dist(begin, end) / 6))
    stops = [(round(x), round(y)) for x, y in np.linspace(begin, end, number)]
    for one, two in list(pairwise(stops))[::2]:
        cv2.line(image, one, two, colour, 1, cv2.LINE_AA)


def _text(
    image: NDArray[np.uint8], text: str, at: tuple[int, int], colour: tuple[int, ...]
) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.48, colour, 1, cv2.LINE_AA)
