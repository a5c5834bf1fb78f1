"""From probabilities to moving tracks."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from moseg.motion.ladder import LADDER, LONG, LONG_LADDER, choose_dynamic
from tests.motion.sampling_files import files_with


def ladder_of(frames: int) -> tuple[float, ...]:
    return LONG_LADDER if frames > LONG else LADDER


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_ladder_a_prob"))
def test_choice_of_the_reference(path: Path) -> None:
    with np.load(path) as stored:
        names = [m[1] for key in stored if (m := re.fullmatch(r"in_ladder_(\w+)_prob", key))]
        for name in names:
            dynamic, threshold = choose_dynamic(
                stored[f"in_ladder_{name}_prob"],
                ladder_of(int(stored[f"in_ladder_{name}_frames"])),
            )
            np.testing.assert_array_equal(dynamic, stored[f"out_ladder_{name}_dynamic"])
            assert threshold == float(stored[f"out_ladder_{name}_threshold"])


def probabilities(*parts: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(count, p, np.float32) for p, count in parts])


def test_the_first_threshold_that_enough_exceed() -> None:
    dynamic, threshold = choose_dynamic(probabilities((0.97, 9), (0.94, 1), (0.5, 30)), LADDER)
    assert threshold == 0.93
    assert dynamic.tolist() == [True] * 10 + [False] * 30


def test_equal_is_not_above() -> None:
    exactly = np.full(20, 0.7, np.float32)
    dynamic, threshold = choose_dynamic(exactly, [0.7])
    assert threshold == 0
    assert dynamic.sum() == 3
    assert choose_dynamic(np.nextafter(exactly, np.float32(1)), [0.7])[1] == 0.7


def test_the_most_probable_where_none_is_exceeded() -> None:
    values = np.array([0.1, 0.4, 0.3, 0.4, 0.2], np.float32)
    assert choose_dynamic(values, LADDER)[0].tolist() == [False, True, True, True, False]
    assert choose_dynamic(values[:2], LADDER)[0].tolist() == [True, True], "fewer than three"
    assert not choose_dynamic(values[:0], LADDER)[0].size
    assert not choose_dynamic(values, LADDER, fallback=0)[0].any()


def test_a_least_probability_lets_a_scene_be_still() -> None:
    values = np.array([0.1, 0.4, 0.3, 0.4, 0.2], np.float32)
    dynamic, threshold = choose_dynamic(values, LADDER, minimum=0.35)
    assert dynamic.tolist() == [False, True, False, True, False]
    assert threshold == 0
    assert not choose_dynamic(values, LADDER, minimum=0.5)[0].any()
    many = probabilities((0.97, 5), (0.94, 20))
    dynamic, threshold = choose_dynamic(many, LADDER, least=5, minimum=0.96)
    assert (dynamic.sum(), threshold) == (5, 0.95)
    assert choose_dynamic(many, LADDER, least=10, minimum=0.96)[0].sum() == 3


def test_settings_of_the_ladder() -> None:
    values = probabilities((0.8, 4), (0.2, 4))
    assert choose_dynamic(values, [0.9, 0.75], least=4)[1] == 0.75
    assert choose_dynamic(values, [0.9, 0.75], least=5)[1] == 0
    assert choose_dynamic(values, [0.9], fallback=2)[0].sum() == 2
