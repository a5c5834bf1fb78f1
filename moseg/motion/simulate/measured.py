"""What a tracker without a network would make of true tracks: errors like those of chained flow.

A measured track drifts and jitters; beside the edge of something that moves otherwise it is
dragged along; under shadows and smoke it follows these; hidden points are lost or go on with
what hides them. What is lost is never found again, as in `moseg.preproc.tracks.grid`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moseg.core.seeds import derive_seed
from moseg.motion.simulate.geometry import Array, like, namespace, place
from moseg.motion.simulate.paths import log_uniform
from moseg.motion.simulate.scene import Scene
from moseg.motion.simulate.tracks import SimulatedTracks
from moseg.motion.simulate.views import View, nearest

DRIFT_SCALE = 4.0
"""A summed error of this many pixels brings the confidence down to 1/e, as in grid tracks."""
FOLLOWS_COVER = 0.6
"""Share of hidden points that go on with what hides them; the others are lost."""


@dataclass(frozen=True)
class MeasuredTracks:
    """Tracks as a tracker gives them; arrays like those of the true tracks.

    Attributes:
        xy: float [B, N, T, 2], where a track has ended its last position.
        visible: bool [B, N, T], without gaps around the query frame.
        visibility: float [B, N, T] in 0..1, zero where not visible.
        confidence: float [B, N, T] in 0..1, falls with the errors since the query frame.
    """

    xy: Array
    visible: Array
    visibility: Array
    confidence: Array


@dataclass(frozen=True)
class _Dice:
    """Random numbers of B scenes and N tracks, each scene from its own seed.

    Attributes:
        beside: pixels (x, y) to where a track looks aside, [B, N, 2].
        leak: how much of the motion there it takes over, 0..1, [B, N].
        slip: how much of a veil's motion it takes over, if the veil were opaque, [B, N].
        jitter: pixels at a pace of about 3 pixels a frame, [B, N, T - 1, 2].
        luck: 0..1, [B, N, T - 1]; low numbers lose tracks.
        goes_on: 1 where it goes on with what hides it, 0 where it is lost, [B, N].
        hazard: share of steps that lose a track for no reason, [B, 1, 1].
    """

    beside: Array
    leak: Array
    slip: Array
    jitter: Array
    luck: Array
    goes_on: Array
    hazard: Array


def measure_tracks(
    scenes: Sequence[Scene], view: View, tracks: SimulatedTracks, seed: int = 0
) -> MeasuredTracks:
    """Make true tracks as bad as measured ones.

    Args:
        scenes: what the tracks are of.
        view: of the scenes, in arrays of the tracks' kind.
        tracks: the truth.
        seed: another one gives other errors; each scene has its own, whatever the batch.
    """
    dice = _throw(scenes, tracks, seed)
    xp = namespace(tracks.xy)
    own = tracks.xy[:, :, 1:] - tracks.xy[:, :, :-1]
    aside, other = _steps_beside(view, tracks, dice)
    covered = ~(tracks.visible[:, :, 1:] & tracks.visible[:, :, :-1])
    share = xp.where(covered, dice.goes_on[..., None], dice.leak[..., None]) * other
    wrong = share[..., None] * (aside - own)
    wrong = wrong + _veil_drag(scenes, view, tracks, dice, own)
    pace = xp.sqrt((own**2).sum(-1))[..., None]
    jitter = dice.jitter * xp.clip(0.15 + 0.3 * pace, 0, 1.2)
    step = own + wrong + jitter
    error = xp.sqrt(((0.15 * wrong + jitter) ** 2).sum(-1))
    lost = (dice.luck < dice.hazard) | (other & (dice.luck < 0.03)) | (error > 3)
    lost = lost | (covered & ~((dice.goes_on[..., None] > 0) & other))
    return _chained(tracks, step, error, ~lost, view)


def _throw(scenes: Sequence[Scene], tracks: SimulatedTracks, seed: int) -> _Dice:
    """All random numbers."""
    count, frames = tracks.xy.shape[1], tracks.xy.shape[2]
    columns: dict[str, list[np.ndarray]] = {name: [] for name in _Dice.__dataclass_fields__}
    for scene in scenes:
        rng = np.random.default_rng(derive_seed(scene.seed, "measure", str(seed)))
        angle, away = rng.uniform(0, 2 * np.pi, count), rng.uniform(1, 6, count)
        around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        columns["beside"].append(away[:, None] * around)
        columns["leak"].append(np.clip(rng.uniform(-0.3, 2.2, count) * (1.2 - away / 7), 0, 1))
        columns["slip"].append(np.clip(rng.uniform(-0.6, 1.4, count), 0, 1))
        rough = log_uniform(rng, 0.04, 0.2) * np.exp(rng.normal(0, 0.6, count))
        noise = rng.standard_normal((count, frames - 1, 2)) + rng.normal(0, 0.4, (count, 1, 2))
        columns["jitter"].append(rough[:, None, None] * noise)
        columns["luck"].append(rng.random((count, frames - 1)))
        columns["goes_on"].append(1.0 * (rng.random(count) < FOLLOWS_COVER))
        columns["hazard"].append(np.full((1, 1), rng.uniform(0, 0.012)))
    return _Dice(**{name: like(tracks.xy, np.stack(made)) for name, made in columns.items()})


def _steps_beside(view: View, tracks: SimulatedTracks, dice: _Dice) -> tuple[Array, Array]:
    """Steps of what is seen beside tracks, [B, N, T - 1, 2], and whether it is another thing."""
    xp = namespace(tracks.xy)
    xy = tracks.xy[:, :, :-1] + dice.beside[:, :, None]
    step, surface = _steps_of_front(view, xp.moveaxis(xy, 2, 1), view.solid)
    found, step = xp.swapaxes(surface, 1, 2), xp.moveaxis(step, 1, 2)
    return step, (found >= 0) & (found != tracks.surface[..., None])


def _steps_of_front(view: View, xy: Array, among: Sequence[Sequence[bool]]) -> tuple[Array, Array]:
    """Steps to the next frame of what is in front at pixels [B, T - 1, N, 2]; and its number."""
    xp = namespace(xy)
    steps, numbers = [], []
    for frame in range(view.focal.shape[1] - 1):
        now, then = view.frames(frame, frame + 1), view.frames(frame + 1, frame + 2)
        here = xy[:, frame : frame + 1]
        found = nearest(now, *now.sight(here), among)
        number = found.surface[:, 0]
        u, v, _ = place(then.under(number * (number >= 0)), found.x, found.y, any(view.curved))
        steps.append((then.pixels(u, v) - here) * (found.surface >= 0)[..., None])
        numbers.append(found.surface)
    return xp.concat(steps, 1), xp.concat(numbers, 1)


def _veil_drag(
    scenes: Sequence[Scene], view: View, tracks: SimulatedTracks, dice: _Dice, own: Array
) -> Array:
    """What veils in front of the tracks add to their steps, [B, N, T - 1, 2]."""
    if not any(any(column) for column in view.veils):
        return 0 * own
    xp = namespace(own)
    step, surface = _steps_of_front(view, xp.moveaxis(tracks.xy[:, :, :-1], 2, 1), view.veils)
    opacity = np.zeros((len(scenes), len(view.veils)))
    for index, scene in enumerate(scenes):
        opacity[index, : len(scene.surfaces)] = [part.opacity for part in scene.surfaces]
    here = np.arange(len(scenes))[:, None, None]
    strength = like(own, opacity)[here, surface * (surface >= 0)] * (surface >= 0)
    share = xp.swapaxes(strength, 1, 2) * dice.slip[..., None]
    return share[..., None] * (xp.moveaxis(step, 1, 2) - own)


def _chained(
    tracks: SimulatedTracks, step: Array, error: Array, good: Array, view: View
) -> MeasuredTracks:
    """Follow steps [B, N, T - 1] from the query frame, forwards and backwards."""
    xp, query = namespace(step), tracks.query_frame
    start = tracks.xy[:, :, query : query + 1]
    ahead = _run(start, step[:, :, query:], error[:, :, query:], good[:, :, query:], view)
    back = _run(
        start,
        -xp.flip(step[:, :, :query], (2,)),
        xp.flip(error[:, :, :query], (2,)),
        xp.flip(good[:, :, :query], (2,)),
        view,
    )
    joined = [
        xp.concat([xp.flip(before, (2,)), after], 2)
        for before, after in zip(_without_first(back), ahead, strict=True)
    ]
    return MeasuredTracks(*joined)


def _without_first(arrays: Sequence[Array]) -> list[Array]:
    return [array[:, :, 1:] for array in arrays]


def _run(start: Array, step: Array, error: Array, good: Array, view: View) -> tuple[Array, ...]:
    """xy, visible, visibility and confidence in the frames of a run, its first frame included."""
    xp = namespace(step)
    xy = start + xp.cumsum(step, 2)
    inside = (xy >= 0).all(-1) & (xy[..., 0] <= view.size[1] - 1) & (xy[..., 1] <= view.size[0] - 1)
    alive = xp.cumprod((good & inside) * 1, 2) > 0
    xy = start + xp.cumsum(step * alive[..., None], 2)
    sure = alive / (1 + error**2)
    trusted = alive * xp.exp(-xp.cumsum(error * alive, 2) / DRIFT_SCALE)
    first = start[..., 0] * 0 + 1
    return (
        xp.concat([start, xy], 2),
        xp.concat([first > 0, alive], 2),
        xp.concat([first, sure], 2),
        xp.concat([first, trusted], 2),
    )
