"""The videos of the reference layout (SegAnyMo): tracks on frames, and results.

All of them stream: frames go in one by one, and the videos appear when their block ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from moseg.core.errors import writing_to
from moseg.render.overlay import check_frame, check_ids, draw_dot, draw_ring, paint_plain
from moseg.render.video_writer import VideoWriter

Frame = npt.NDArray[np.uint8]

TRACK_FPS = 10.0
RESULT_FPS = 30.0
_BORDER = 120  # white, so that tracks that leave the picture stay in sight
_MAX_RADIUS = 6.0
_INK_SHARE = 0.2  # of the picture that the dots may cover together
_WHITE = (255, 255, 255)
_GREEN = (0, 255, 0)


class _VideoSet(ExitStack):
    """Several videos of one folder, one size and one clock; a context manager."""

    def __init__(
        self, folder: Path, names: Sequence[str], height: int, width: int, fps: float
    ) -> None:
        super().__init__()
        with writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._writers = {
            name: self.enter_context(VideoWriter(folder / f"{name}.mp4", height, width, fps))
            for name in names
        }

    @property
    def notes(self) -> list[str]:
        """What was done differently, for the person who asked (`VideoWriter.notes`)."""
        return [note for writer in self._writers.values() for note in writer.notes]


class TrackVideos(_VideoSet):
    """Context manager for `original.mp4` (all tracks) and `dynamic.mp4` (the moving ones).

    A track keeps one colour of the rainbow, by its height in the first frame, so that it
    can be followed. It is a disc where visible and a ring where hidden. A white border
    shows tracks that leave the picture. The reference drops frames and draws dots of 6
    pixels always; here every frame is there once, and many dots are smaller, so that they
    do not cover the picture.

    Args:
        folder: of the scene; made when missing.
        height, width: of the frames in pixels.
        start_y: [n] y of every track in the first frame, in pixels; chooses the colour.
        dynamic: bool [n], the tracks of `dynamic.mp4`.
        fps: frames a second when frames come without times.

    Raises:
        OutputError: the place cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        height: int,
        width: int,
        start_y: npt.NDArray[np.floating],
        dynamic: npt.NDArray[np.bool_],
        fps: float = TRACK_FPS,
    ) -> None:
        size = (height + 2 * _BORDER, width + 2 * _BORDER)
        super().__init__(folder, ("original", "dynamic"), *size, fps)
        self._colours = _rainbow(start_y, height)
        self._tracks = {"original": np.arange(len(dynamic)), "dynamic": np.flatnonzero(dynamic)}
        self._frame_shape = (height, width)

    def add(
        self,
        frame: Frame,
        xy: npt.NDArray[np.floating],
        visible: npt.NDArray[np.bool_],
        time: float | None = None,
    ) -> None:
        """Append a frame with its tracks.

        Args:
            frame: RGB uint8 [H, W, 3].
            xy: [n, 2] places (x, y) in pixels; a place that is not finite is left out.
            visible: bool [n].
            time: of the source frame in seconds, for every frame or for none.

        Raises:
            OutputError: the place cannot be written.
            ValueError: wrong shapes or types.
        """
        check_frame(frame)
        if xy.shape != (len(self._colours), 2) or visible.shape != xy.shape[:1]:
            raise ValueError(f"xy {list(xy.shape)} and visible {list(visible.shape)} do not fit")
        around = (_BORDER, _BORDER, _BORDER, _BORDER)
        wide = cv2.copyMakeBorder(frame, *around, cv2.BORDER_CONSTANT, value=_WHITE)
        for name, tracks in self._tracks.items():
            picture = np.asarray(wide.copy(), np.uint8)
            radius = _fitting_radius(len(tracks), *self._frame_shape)
            for i in tracks:
                draw = draw_dot if visible[i] else draw_ring
                draw(picture, xy[i] + _BORDER, radius, self._colours[i])
            self._writers[name].add(picture, time)


class ResultVideos(_VideoSet):
    """Context manager for the four videos of `final_res/<scene>/video/`.

    All objects are treated as one:

    - `original_rgb.mp4`: the frames;
    - `mask.mp4`: the objects in black on white (the reference's layout says "objects on
      white" of this video and the next; a silhouette is the plain mask on white);
    - `mask_rgb.mp4`: the objects in their own colours on white;
    - `mask_rgb_color.mp4`: the frames with the objects half covered in green.

    Args:
        folder: the `video` folder; made when missing.
        height, width: of the frames in pixels.
        fps: frames a second when frames come without times.

    Raises:
        OutputError: the place cannot be written.
    """

    def __init__(self, folder: Path, height: int, width: int, fps: float = RESULT_FPS) -> None:
        names = ("original_rgb", "mask", "mask_rgb", "mask_rgb_color")
        super().__init__(folder, names, height, width, fps)

    def add(self, frame: Frame, ids: npt.NDArray[np.uint8], time: float | None = None) -> None:
        """Append a frame, RGB uint8 [H, W, 3], with its object ids, uint8 [H, W].

        Args:
            frame: RGB uint8 [H, W, 3].
            ids: uint8 [H, W], 0 background.
            time: of the source frame in seconds, for every frame or for none.

        Raises:
            OutputError: the place cannot be written.
            ValueError: wrong shapes or types.
        """
        check_frame(frame)
        check_ids(frame, ids)
        white = np.full_like(frame, 255)
        pictures = {
            "original_rgb": frame,
            "mask": cv2.copyTo(np.zeros_like(frame), ids, white.copy()),
            "mask_rgb": cv2.copyTo(frame, ids, white),
            "mask_rgb_color": paint_plain(frame, ids, _GREEN, 0.5),
        }
        for name, picture in pictures.items():
            self._writers[name].add(np.asarray(picture, np.uint8), time)


def _rainbow(start_y: npt.NDArray[np.floating], height: int) -> list[tuple[int, int, int]]:
    """One RGB colour a track: red at the top of the frame, violet at the bottom."""
    share = np.nan_to_num(start_y / max(1, height - 1), nan=0.5).clip(0.0, 1.0)
    hue = np.rint(share * 145).astype(np.uint8)  # OpenCV counts hue in 2 degrees
    hsv = np.stack([hue, np.full_like(hue, 255), np.full_like(hue, 255)], axis=-1)
    if not len(hsv):
        return []
    rgb = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    return [(int(r), int(g), int(b)) for r, g, b in rgb]


def _fitting_radius(count: int, height: int, width: int) -> float:
    """At most 6 pixels; less where `count` dots would cover too much of the picture."""
    fitting = (_INK_SHARE * height * width / (np.pi * max(1, count))) ** 0.5
    return float(np.clip(fitting, 1.0, _MAX_RADIUS))
