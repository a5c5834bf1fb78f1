"""The landscape of the clip: all its still things, and who moves among them."""

from __future__ import annotations

import numpy as np

from moseg.sample import foreground, scenery
from moseg.sample.actors import Actor
from moseg.sample.exposure import Exposure
from moseg.sample.view import Matrix, Pose, View


class Landscape:
    """The still things of the scene."""

    def __init__(self, view: View, seed: int) -> None:
        self._view = view
        far = (scenery.sky, scenery.mountains, scenery.hills)
        near = (scenery.tree_line, foreground.fence, foreground.tall_grass)
        self._far = [build(view, stream(seed, 10 + k)) for k, build in enumerate(far)]
        self._ground = foreground.ground(view, stream(seed, 20))
        self._near = [build(view, stream(seed, 30 + k)) for k, build in enumerate(near)]
        self._near.append(foreground.birch(view, stream(seed, 40), x=0.5))

    def expose(self, pose: Pose, actors: list[Actor], time: float) -> Exposure:
        """The landscape and the actors from far to near; actors are owners 1, 2, 3."""
        exposure = Exposure(self._view)
        for plane in self._far:
            exposure.lay(plane.painted, self._from(pose, plane))
        exposure.lay(self._ground.painted, pose.ground(self._view) @ self._ground.from_picture())
        things: list[scenery.Plane | Actor] = [*self._near, *actors]
        for thing in sorted(things, key=lambda thing: -thing.depth):
            if isinstance(thing, scenery.Plane):
                exposure.lay(thing.painted, self._from(pose, thing))
            else:
                thing.lay(exposure, self._view, pose, time, owner=actors.index(thing) + 1)
        return exposure

    def _from(self, pose: Pose, plane: scenery.Plane) -> Matrix:
        return pose.upright(self._view, plane.depth) @ plane.from_picture()


def stream(seed: int, part: int) -> np.random.Generator:
    return np.random.default_rng([seed, part])
