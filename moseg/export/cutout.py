"""Videos with alpha: the frames of the source, opaque where something moves.

Alpha is straight: colours are those of the source everywhere, also where alpha is 0, and are not
multiplied by it. It is 0 or 255: no soft edge is made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.frames import RGB
from moseg.export.clips import Labels, MaskClip
from moseg.export.places import white_where
from moseg.export.reshape import Reshape
from moseg.export.videos import Picture, write_videos
from moseg.export.written import Written
from moseg.render.video_codecs import PNG, PRORES


def write_alpha(clips: Sequence[MaskClip], out: Path, shape: Reshape) -> Written:
    """Write `out/<scene>_alpha.mp4`, each frame a PNG: exact, and large.

    Inverted: opaque where nothing moves.

    Raises:
        InputError, OutputError, BackendError: as `write_videos`.
    """
    return write_videos(clips, out, "alpha", PNG, _cutout(shape))


def write_prores(clips: Sequence[MaskClip], out: Path, shape: Reshape) -> Written:
    """Write `out/<scene>_prores.mov`, ProRes 4444: alpha exact, colours nearly.

    Inverted: opaque where nothing moves.

    Raises:
        InputError, OutputError, BackendError: as `write_videos`.
    """
    return write_videos(clips, out, "prores", PRORES, _cutout(shape))


def _cutout(shape: Reshape) -> Picture:
    def picture(frame: RGB, labels: Labels) -> NDArray[np.uint8]:
        return np.dstack([frame, white_where(shape.chosen(labels))])

    return picture
