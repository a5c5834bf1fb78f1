"""Natural-looking textures and a small painter, the material of a made-up clip.

Pictures are premultiplied RGBA, uint8 [H, W, 4]: colour times opacity, then opacity.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]
Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]] | NDArray[np.float64]

_TURN = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


def pink_noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    slope: float = 1.0,
    stretch: float = 1.0,
    largest: float | None = None,
) -> Field:
    """Noise whose amplitude falls as 1 / frequency**slope, as in natural images.

    Args:
        stretch: how much longer structures are across than down.
        largest: size in pixels above which structures stop growing; default the picture.

    Returns:
        float32 [height, width], mean 0, deviation 1; its opposite edges fit together.
    """
    across = np.fft.rfftfreq(width)[None, :] * stretch
    down = np.fft.fftfreq(height)[:, None]
    lowest = 1 / (largest if largest is not None else max(height, width))
    frequency = np.sqrt(np.maximum(across**2 + down**2, lowest**2))
    shape = frequency.shape
    spectrum = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    spectrum *= frequency**-slope
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(height, width))
    return (noise / max(float(noise.std()), 1e-9)).astype(np.float32)


def ramp(values: Field, stops: Sequence[float], colours: Sequence[Colour]) -> Field:
    """Colour of each value, blended between `colours` at rising `stops`; float32 [H, W, 3]."""
    table = np.asarray(colours, np.float32)
    channels = [np.interp(values, stops, table[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def smoothstep(values: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, smooth between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def relief(heights: Field, light: tuple[float, float] = (-0.7, -0.7)) -> Field:
    """Shading of a height field lit from (x, y), about -1..1, float32 [H, W]."""
    slope_x = cv2.Sobel(heights, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = cv2.Sobel(heights, cv2.CV_32F, 0, 1, scale=1 / 8)
    shade = slope_x * -light[0] + slope_y * -light[1]
    return np.asarray(shade / (2 * float(shade.std()) + 1e-9), np.float32)


def picture(colours: Field, opacity: Field) -> Picture:
    """Premultiplied picture of colours (0..255, [H, W, 3]) and opacity (0..1, [H, W])."""
    opacity = np.clip(opacity, 0, 1)[..., None]
    colours = np.clip(colours, 0, 255) * opacity
    return np.concatenate([colours, 255 * opacity], axis=-1).round().astype(np.uint8)


def grain(painted: Picture, noise: Field, strength: float) -> Picture:
    """The same picture with its colours made lighter and darker by `noise` (deviation 1)."""
    factor = np.clip(1 + strength * noise, 0, 2)[..., None]
    limit = painted[..., 3:].astype(np.float32)
    colours = np.minimum(painted[..., :3] * factor, limit)
    return np.concatenate([colours.round().astype(np.uint8), painted[..., 3:]], axis=-1)


class Painter:
    """Paints shapes on an empty picture, at twice its size, so that edges come out smooth.

    Coordinates are those of the finished picture, (x, y), pixel centres at integers, after
    `origin` is added and times `scale`: so shapes may be given in metres.
    """

    _FINE = 2
    _SHIFT = 4

    def __init__(
        self,
        height: int,
        width: int,
        scale: float = 1.0,
        origin: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.scale = scale
        self._origin = np.asarray(origin, np.float64)
        self._fine = np.zeros((height * self._FINE, width * self._FINE, 4), np.uint8)

    def polygon(self, points: Points, colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self._fine, [self._to_fine(points)], _ink(colour), cv2.LINE_AA, self._SHIFT)

    def ellipse(
        self,
        centre: tuple[float, float],
        axes: tuple[float, float],
        colour: Colour,
        turn: float = 0,
    ) -> None:
        """Fill an ellipse with half axes `axes`, turned by `turn` radians."""
        axis = np.array([np.cos(turn), np.sin(turn)])
        across = np.array([-axis[1], axis[0]])
        self.polygon(
            np.asarray(centre) + _CIRCLE @ np.stack([axes[0] * axis, axes[1] * across]), colour
        )

    def stroke(self, points: Points, width: float, colour: Colour) -> None:
        """Draw a line through points, `width` in the units of the points, at least a hair."""
        thickness = max(1, round(width * self.scale * self._FINE))
        cv2.polylines(
            self._fine,
            [self._to_fine(points)],
            False,
            _ink(colour),
            thickness,
            cv2.LINE_AA,
            self._SHIFT,
        )

    def finish(self) -> Picture:
        """What was painted."""
        height, width = self._fine.shape[0] // self._FINE, self._fine.shape[1] // self._FINE
        return cv2.resize(self._fine, (width, height), interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )

    def _to_fine(self, points: Points) -> NDArray[np.int32]:
        pixels = (np.asarray(points, np.float64) + self._origin) * self.scale
        fine = (pixels + 0.5) * self._FINE - 0.5
        return np.asarray(np.round(fine * 2**self._SHIFT), np.int32)


def rounded(points: Points, rounds: int = 2) -> NDArray[np.float64]:
    """A closed polygon with its corners cut, [n, 2]; Chaikin's scheme (1974)."""
    corners = np.asarray(points, np.float64)
    for _ in range(rounds):
        following = np.roll(corners, -1, axis=0)
        near, far = 0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following
        corners = np.stack([near, far], axis=1).reshape(-1, 2)
    return corners


def shaded(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor below 1) or lighter."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _ink(colour: Colour) -> tuple[float, float, float, float]:
    return (*colour, 255.0)
