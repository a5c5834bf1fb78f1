"""Simulated scenes on disk: tracks with truth, and pictures to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moseg.core.errors import ConfigError, writing_to
from moseg.core.files import published
from moseg.motion.simulate.draw import draw_scene
from moseg.motion.simulate.kinds import KINDS
from moseg.motion.simulate.measured import MeasuredTracks, measure_tracks
from moseg.motion.simulate.render import render
from moseg.motion.simulate.scene import Scene
from moseg.motion.simulate.tracks import SimulatedTracks, simulate_tracks
from moseg.motion.simulate.views import view_of
from moseg.pipeline.simulated_preview import preview, save_preview
from moseg.preproc.tracks.grid import grid_points

LARGEST = 4096
MOST_FRAMES = 1000
SMALLEST = 32


@dataclass(frozen=True)
class Simulation:
    """Which scenes to simulate.

    Attributes:
        kinds: "training" or "held-out".
        frames: number of frames of each.
        size: height and width in pixels.

    Raises:
        ConfigError: a value is out of range.
    """

    kinds: str = "training"
    frames: int = 16
    size: tuple[int, int] = (128, 224)

    def __post_init__(self) -> None:
        if self.kinds not in KINDS:
            raise ConfigError(f"kinds: {self.kinds!r} is unknown; choose {' or '.join(KINDS)}")
        if not 2 <= self.frames <= MOST_FRAMES:
            raise ConfigError(f"frames is {self.frames}; it must be 2 to {MOST_FRAMES}")
        if not all(SMALLEST <= side <= LARGEST for side in self.size):
            height, width = self.size
            raise ConfigError(
                f"size: {width}x{height} does not do; each side must be {SMALLEST} to {LARGEST}"
            )

    def draw(self, seed: int) -> Scene:
        """The scene of a seed."""
        return draw_scene(seed, KINDS[self.kinds], self.frames, self.size)


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of a size written as WIDTHxHEIGHT.

    Raises:
        ConfigError: it is written otherwise.
    """
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"size: {text!r} is no size; write it as in 224x128")
    return int(height), int(width)


def write_tracks(folder: Path, simulation: Simulation, seed: int, spacing: int = 5) -> Path:
    """Write `folder/<seed>.npz`: grid tracks of one scene, true and as a tracker measures them.

    The query frame is the middle one. Arrays are those of `SimulatedTracks` and of
    `MeasuredTracks` (their names begin with `measured_`) without the axis of scenes, and
    `made_of`, the names of what is in the scene. Equal arguments give equal bytes.

    Raises:
        OutputError: the folder cannot be written.
    """
    scene = simulation.draw(seed)
    view = view_of([scene])
    points = grid_points(*simulation.size, spacing)
    tracks = simulate_tracks([scene], points, simulation.frames // 2, view)
    measured = measure_tracks([scene], view, tracks)
    arrays = _flat(tracks) | {f"measured_{name}": a for name, a in _flat(measured).items()}
    target = _target(folder, f"{seed:05d}.npz")
    with published(target) as partial, partial.open("wb") as file:
        np.savez(file, made_of=np.array(scene.made_of), **arrays)  # type: ignore[arg-type]
    return target


def write_preview(folder: Path, simulation: Simulation, seed: int, spacing: int = 6) -> Path:
    """Write `folder/<seed>.png`, a picture of one scene, see `simulated_preview.preview`.

    Raises:
        OutputError: the folder cannot be written.
    """
    scene = simulation.draw(seed)
    tracks = simulate_tracks([scene], grid_points(*simulation.size, spacing))
    target = _target(folder, f"{seed:05d}.png")
    save_preview(target, preview(scene, render(scene), tracks))
    return target


def _target(folder: Path, name: str) -> Path:
    """A file to write in a folder that is made if it is not there."""
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _flat(tracks: SimulatedTracks | MeasuredTracks) -> dict[str, np.ndarray]:
    """The arrays of one scene's tracks, by name."""
    return {
        name: np.asarray(value if name == "query_frame" else value[0])
        for name, value in vars(tracks).items()
    }
