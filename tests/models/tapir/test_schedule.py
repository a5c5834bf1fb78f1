"""At which resolutions a video is encoded."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from moseg.core.errors import InputError
from moseg.models.tapir.schedule import resolution_schedule

R0 = (256, 256)


@pytest.mark.parametrize(
    ("size", "levels"),
    [
        ((128, 128), [256]),
        ((256, 256), [256]),
        ((250, 256), [256]),
        ((512, 512), [256, 512]),
        ((1024, 1024), [256, 512, 1024]),
    ],
)
def test_square_videos(size: tuple[int, int], levels: list[int]) -> None:
    assert resolution_schedule(size, R0) == (R0, *((n, n) for n in levels))


def test_a_wide_video() -> None:
    schedule = resolution_schedule((480, 856), R0)
    assert schedule == (R0, R0, (344, 464), (480, 856))


def test_rounding_errors_do_not_lose_a_cell() -> None:
    assert resolution_schedule((480, 480), (224, 224))[-1] == (480, 480)
    assert resolution_schedule((1000, 1000), (104, 104))[-1] == (1000, 1000)


@given(st.integers(8, 3000), st.integers(8, 3000), st.integers(1, 64), st.integers(1, 64))
def test_sizes_grow_to_the_video(height: int, width: int, rows: int, columns: int) -> None:
    initial = (8 * rows, 8 * columns)
    assume(height >= initial[0] and width >= initial[1])
    schedule = resolution_schedule((height, width), initial)
    assert schedule[:2] == (initial, initial)
    assert all(h % 8 == w % 8 == 0 for h, w in schedule)
    if len(schedule) > 2:
        assert schedule[-1] == (height - height % 8, width - width % 8)
        assert list(schedule[1:]) == sorted(schedule[1:])


def test_given_resolutions_are_kept() -> None:
    assert resolution_schedule((480, 640), R0, [(320, 512)]) == (R0, (320, 512))


@pytest.mark.parametrize("size", [(100, 96), (96, 100), (0, 96), (4, 8)])
def test_other_than_multiples_of_8_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="multiples of 8") as refused:
        resolution_schedule((96, 96), R0, [size])
    assert "\n" not in str(refused.value)
