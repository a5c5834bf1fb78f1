"""The time of each frame of a video, from the time stamps that it was stored with."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

_USUAL_RATE = Fraction(25)  # where a file says nothing about its speed


def frame_times(
    stamps: Sequence[int | None], time_base: Fraction | None, stated_rate: Fraction | None
) -> tuple[float, ...]:
    """Seconds from the first frame, strictly increasing, the first 0.

    A frame without a stamp, or whose stamp does not come after the frame before, follows
    that one at the average rate.

    Args:
        stamps: presentation time stamps in units of `time_base`.
        time_base: seconds.
        stated_rate: the stream's average frames per second, if it states one.
    """
    unit = time_base or Fraction(1)
    step = 1 / (stated_rate or _USUAL_RATE)
    known = next(((i, stamp) for i, stamp in enumerate(stamps) if stamp is not None), (0, 0))
    origin = known[1] * unit - known[0] * step
    times: list[Fraction] = []
    for stamp in stamps:
        if not times:
            times.append(Fraction(0))
            continue
        time = None if stamp is None else stamp * unit - origin
        times.append(time if time is not None and time > times[-1] else times[-1] + step)
    return tuple(float(time) for time in times)


def average_rate(times: Sequence[float], stated_rate: Fraction | None) -> float:
    """Frames per second over the whole clip.

    The stated rate is given where it agrees within 2 %: it is free of the rounding of time
    stamps (30000/1001 from stamps in milliseconds).
    """
    if len(times) < 2:
        return float(stated_rate or _USUAL_RATE)
    measured = (len(times) - 1) / times[-1]
    if stated_rate and abs(float(stated_rate) / measured - 1) <= 0.02:
        return float(stated_rate)
    return measured
