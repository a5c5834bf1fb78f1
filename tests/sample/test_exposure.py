"""Pictures laid over each other: colours, and which object each pixel belongs to."""

from __future__ import annotations

import numpy as np
import pytest

from moseg.sample.exposure import Exposure
from moseg.sample.textures import Picture
from moseg.sample.view import View, translation

VIEW = View(20, 30)


def sheet(height: int, width: int, grey: int, opacity: int = 255) -> Picture:
    painted = np.full((height, width, 4), round(grey * opacity / 255), np.uint8)
    painted[..., 3] = opacity
    return painted


@pytest.fixture
def exposure() -> Exposure:
    made = Exposure(VIEW)
    made.lay(sheet(40, 40, 200), translation(-5, -5))
    return made


def test_an_object_covers_what_is_behind_it(exposure: Exposure) -> None:
    exposure.lay(sheet(6, 8, 50), translation(4, 3), owner=2)
    there = np.zeros((20, 30), np.bool_)
    there[3:9, 4:12] = True
    assert np.array_equal(exposure.ids(), 2 * there)
    assert (exposure.rgb[there] == 50).all()
    assert (exposure.rgb[~there] == 200).all()


@pytest.mark.parametrize(("opacity", "seen"), [(100, False), (160, True)])
def test_an_object_counts_where_it_covers_more_than_half(
    exposure: Exposure, opacity: int, seen: bool
) -> None:
    exposure.lay(sheet(6, 8, 50, opacity), translation(4, 3), owner=1)
    assert exposure.ids().any() == seen
    mixed = 200 + (50 - 200) * opacity / 255
    assert exposure.rgb[5, 6, 0] == pytest.approx(mixed, abs=2)


def test_what_is_nearer_hides_an_object(exposure: Exposure) -> None:
    exposure.lay(sheet(6, 8, 50), translation(4, 3), owner=1)
    exposure.lay(sheet(6, 2, 90), translation(6, 3))
    exposure.lay(sheet(2, 8, 70), translation(4, 3), owner=3)
    ids = exposure.ids()
    assert (ids[3:5, 4:12] == 3).all()
    assert (ids[5:9, 6:8] == 0).all()
    assert (ids[5:9, 8:12] == 1).all()


def test_a_shadow_darkens_but_is_no_object(exposure: Exposure) -> None:
    exposure.lay(sheet(6, 8, 100), translation(4, 3), owner=1)
    before = exposure.ids()
    exposure.shade(sheet(20, 30, 0, 200), translation(0, 0))
    assert np.array_equal(exposure.ids(), before)
    assert exposure.rgb[0, 0, 0] == pytest.approx(200 * 55 / 255, abs=2)


def test_what_lies_outside_the_frame_is_left_out(exposure: Exposure) -> None:
    for x, y in ((-100, 0), (0, 100), (31, 5), (-9, -7)):
        exposure.lay(sheet(6, 8, 50), translation(x, y), owner=1)
    assert not exposure.ids().any()
    exposure.lay(sheet(6, 8, 50), translation(-4, 17), owner=1)
    assert exposure.ids()[17:, :4].all()
    assert (exposure.ids() > 0).sum() == 12
