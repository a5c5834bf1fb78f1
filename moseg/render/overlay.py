"""Draw masks and tracks on frames. Frames are RGB uint8 [H, W, 3] and never changed in place."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from moseg.render.palette import object_colours, track_colours

Frame = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.uint8]

_OBJECTS = object_colours()[:, None]
_TRACKS = track_colours()
_SHIFT = 4  # OpenCV draws at sub-pixel places with 4 binary digits


def contour_width(height: int, width: int) -> int:
    """Width in pixels of the contour of an object: 1 for small frames, 2 from 450 lines on."""
    return max(1, round(min(height, width) / 300))


def paint(frame: Frame, ids: Ids, alpha: float = 0.5) -> Frame:
    """Colour the objects of `ids` in a copy of `frame`, each with a thin, full contour.

    The contour lies inside the object, so pixels of the background stay as they are.
    Where two objects touch, the larger id carries it.

    Args:
        frame: RGB uint8 [H, W, 3].
        ids: uint8 [H, W], 0 background, then object ids (`palette.object_colours`).
        alpha: share of the object's colour inside the contour, 0..1.

    Raises:
        ValueError: the shapes or types do not fit.
    """
    check_frame(frame)
    check_ids(frame, ids)
    painted = frame.copy()
    x, y, width, height = cv2.boundingRect(ids)
    if width == 0:
        return painted
    line = contour_width(*ids.shape)
    box = np.s_[max(0, y - line) : y + height + line, max(0, x - line) : x + width + line]
    inside = np.ascontiguousarray(ids[box])
    colours = cv2.applyColorMap(inside, _OBJECTS)
    contour = cv2.compare(inside, _erode(inside, line), cv2.CMP_NE)
    blended = cv2.addWeighted(painted[box], 1.0 - alpha, colours, alpha, 0.0)
    cv2.copyTo(colours, contour, blended)
    painted[box] = cv2.copyTo(blended, inside, painted[box])
    return painted


def paint_plain(frame: Frame, ids: Ids, colour: tuple[int, int, int], alpha: float) -> Frame:
    """All objects of `ids` as one, in one colour with opacity `alpha`, without a contour."""
    check_frame(frame)
    check_ids(frame, ids)
    blended = cv2.addWeighted(frame, 1.0 - alpha, np.full_like(frame, colour), alpha, 0.0)
    return np.asarray(cv2.copyTo(blended, ids, frame.copy()), np.uint8)


def track_radius(height: int, width: int) -> float:
    """Radius in pixels of a track's dot: 1 for small frames, 2 at 480 lines, 3 at 720."""
    return max(1.0, min(height, width) / 240)


def draw_tracks(
    frame: Frame,
    xy: npt.NDArray[np.floating],
    moving: npt.NDArray[np.bool_] | npt.NDArray[np.floating],
    tails: npt.NDArray[np.floating] | None = None,
    radius: float | None = None,
) -> Frame:
    """Draw tracks as dots on a copy of `frame`: blue static, orange moving, pale unsure.

    Probable movers are larger and drawn last, so that no static dot hides them. A
    track without a finite place in this frame (not visible: NaN) is left out.

    Args:
        frame: RGB uint8 [H, W, 3].
        xy: [n, 2] places (x, y) in pixels, pixel centres at integers.
        moving: bool [n], or the probability [n] of motion, 0..1; NaN counts as unsure.
        tails: [n, k, 2] earlier places of each track, oldest first, drawn as thin lines
            that end at `xy`; places that are not finite are skipped.
        radius: of the dot of an unsure track in pixels, else from the size of the frame;
            still dots are 0.7 and moving ones 1.3 times as large.

    Raises:
        ValueError: the shapes or types do not fit.
    """
    check_frame(frame)
    if xy.ndim != 2 or xy.shape[1] != 2 or moving.shape != xy.shape[:1]:
        raise ValueError(f"xy {list(xy.shape)} and moving {list(moving.shape)} do not fit")
    if tails is not None and (tails.ndim != 3 or tails.shape[::2] != xy.shape):
        raise ValueError(f"tails {list(tails.shape)} do not fit xy {list(xy.shape)}")
    drawn = frame.copy()
    probability = np.nan_to_num(moving.astype(np.float64), nan=0.5).clip(0.0, 1.0)
    colours = _TRACKS[np.rint(probability * 255).astype(np.intp)].tolist()
    order = [i for i in np.argsort(probability, kind="stable") if np.isfinite(xy[i]).all()]
    if tails is not None:
        for i in order:
            _draw_tail(drawn, np.concatenate([tails[i], xy[i : i + 1]]), colours[i])
    radius = radius or track_radius(*frame.shape[:2])
    for i in order:
        draw_dot(drawn, xy[i], radius * (0.7 + 0.6 * probability[i]), colours[i])
    return drawn


def draw_dot(image: Frame, xy: npt.ArrayLike, radius: float, colour: tuple[int, ...]) -> None:
    """Draw a disc into `image`; `xy` and `radius` in pixels, also between pixels.

    A disc that lies outside, or at a place that is not finite, is left out.
    """
    _draw_circle(image, xy, radius, colour, cv2.FILLED)


def draw_ring(image: Frame, xy: npt.ArrayLike, radius: float, colour: tuple[int, ...]) -> None:
    """Draw a thin circle into `image`, like `draw_dot`."""
    _draw_circle(image, xy, radius, colour, 1)


def check_frame(frame: Frame) -> None:
    """Raise ValueError unless `frame` is a non-empty uint8 [H, W, 3]."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.size == 0:
        raise ValueError(f"a frame must be uint8 [H, W, 3], not {frame.dtype} {list(frame.shape)}")


def check_ids(frame: Frame, ids: Ids) -> None:
    """Raise ValueError unless `ids` is uint8 and as large as `frame`."""
    if ids.dtype != np.uint8 or ids.shape != frame.shape[:2]:
        raise ValueError(
            f"ids must be uint8 {list(frame.shape[:2])}, not {ids.dtype} {list(ids.shape)}"
        )


def _erode(ids: Ids, line: int) -> Ids:
    size = 2 * line + 1
    return np.asarray(cv2.erode(ids, np.ones((size, size), np.uint8)), np.uint8)


def _draw_tail(image: Frame, places: npt.NDArray[np.floating], colour: tuple[int, ...]) -> None:
    finite = places[np.isfinite(places).all(axis=1)]
    limit = 4 * max(image.shape)
    points = np.rint(finite.clip(-limit, limit) * 2**_SHIFT).astype(np.int32)
    cv2.polylines(image, [points], False, colour, 1, cv2.LINE_AA, _SHIFT)


def _draw_circle(
    image: Frame, xy: npt.ArrayLike, radius: float, colour: tuple[int, ...], thickness: int
) -> None:
    x, y = np.asarray(xy, np.float64).tolist()
    if -radius <= x < image.shape[1] + radius and -radius <= y < image.shape[0] + radius:
        centre = (round(x * 2**_SHIFT), round(y * 2**_SHIFT))
        size = round(radius * 2**_SHIFT)
        cv2.circle(image, centre, size, colour, thickness, cv2.LINE_AA, _SHIFT)
