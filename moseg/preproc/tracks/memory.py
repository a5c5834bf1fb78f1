"""How much memory tracking with TAPIR takes, and how long a window of frames may be. No PyTorch.

What grows with a window are the grids of its frames and the state of one batch of points; both
are counted from the network's shapes. What does not grow was measured (x86-64, PyTorch 2.13).
A GPU works on larger blocks at a time, which takes up to half a gigabyte more.
"""

from __future__ import annotations

import bisect
import math

from moseg.core.errors import ConfigError
from moseg.models.tapir.schedule import resolution_schedule
from moseg.preproc.tracks.tapir import TapirParams

INITIAL = (256, 256)
PROGRAM = 820_000_000
"""Bytes of Python, PyTorch and the weights, in float32 and bfloat16."""
ENCODING_PER_PIXEL = 380
"""Bytes for each pixel of the frames that are encoded at a time."""
SCRATCH = 75_000_000
"""Bytes of the blocks that refinement works on, whatever the window."""
COST_MAP = 190_000
"""Bytes for each point and frame of initialisation, which takes 256 at a time, or one frame."""
STATE = 4 * (535 + 2 * 388 + 40)
"""Bytes for each point of a batch and frame: the mixer's input, its output twice, tracks."""
_LONGEST = 1_000_000


def grid_bytes(resolution: int, grids: str) -> int:
    """Return the bytes of the features of one frame."""
    number = 4 if grids == "float32" else 2
    pixels = sum(height * width for height, width in _sizes(resolution))
    # Numbers for each pixel: 128 for 4x4 of them, 256 for 8x8, 256 for 16x16.
    return pixels * (128 // 16 + 256 // 64 + 256 // 256) * number


def memory_bytes(
    frames: int,
    batch: int = 128,
    resolution: int = 256,
    grids: str = "float32",
    chunk: int = 4,
) -> int:
    """Return the most memory that tracking holds at a time.

    Args:
        frames: in a window.
        batch, resolution, grids, chunk: as in `TapirParams`.
    """
    largest = max(height * width for height, width in _sizes(resolution))
    encoding = min(chunk, frames) * largest * ENCODING_PER_PIXEL
    tracking = SCRATCH + max(batch, 256) * COST_MAP + frames * batch * STATE
    return PROGRAM + frames * grid_bytes(resolution, grids) + max(encoding, tracking)


def window_length(params: TapirParams, memory_gb: float) -> int:
    """Return how many frames can be tracked together in `memory_gb` (10^9 bytes).

    Raises:
        ConfigError: not even two can.
    """

    def needed(frames: int) -> int:
        return memory_bytes(frames, params.batch, params.resolution, params.grids, params.chunk)

    length = bisect.bisect_right(range(_LONGEST), memory_gb * 1e9, key=needed) - 1
    if length < 2:
        raise ConfigError(
            f"queries.memory_gb {memory_gb:g} is too little for TAPIR at {params.resolution} "
            f"pixels; give at least {math.ceil(needed(2) / 1e8) / 10}"
        )
    return length


def _sizes(resolution: int) -> set[tuple[int, int]]:
    return set(resolution_schedule((resolution, resolution), INITIAL))
