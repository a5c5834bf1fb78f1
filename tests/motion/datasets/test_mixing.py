"""Several data sets as one."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.config import validate
from moseg.core.errors import ConfigError, InputError
from moseg.motion.datasets.mixing import DATASETS, Mixture, Share, open_mixture
from moseg.motion.datasets.sample import TrackSample
from moseg.motion.datasets.scenes import Dataset, Reading
from tests.motion.datasets import tiny_scenes as tiny


class Fake(Dataset):
    """A data set whose samples are their scene's number, and nothing else."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.drawn: list[int] = []

    def __len__(self) -> int:
        return self.length

    home = folders = queries = None  # type: ignore[assignment]

    def sample(self, scene: int, rng: np.random.Generator) -> TrackSample:  # noqa: ARG002
        self.drawn.append(scene)
        return scene  # type: ignore[return-value]


def test_each_set_is_drawn_as_often_as_its_weight_says_and_all_its_scenes() -> None:
    sets = [Fake(5), Fake(3), Fake(7)]
    mixture = Mixture(sets, [2, 1, 1])
    assert len(mixture) == 7
    for step in range(2000):
        mixture.sample(0, step)
    shares = [len(fake.drawn) / 2000 for fake in sets]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.04)
    assert all(set(fake.drawn) == set(range(len(fake))) for fake in sets)


@given(st.integers(0, 2**40), st.integers(0, 10**7), st.integers(0, 64))
def test_a_sample_depends_on_seed_step_and_place_alone(seed: int, step: int, place: int) -> None:
    fresh, used = Fake(10**9), Fake(10**9)
    mixture = Mixture([used], [1])
    mixture.sample(seed, step + 1, place)
    assert Mixture([fresh], [1]).sample(seed, step, place) == mixture.sample(seed, step, place)
    assert len({used.drawn[0], used.drawn[1], *others(seed, step, place)}) == 4


def others(seed: int, step: int, place: int) -> list[int]:
    fake = Fake(10**9)
    mixture = Mixture([fake], [1])
    mixture.sample(seed + 1, step, place)
    mixture.sample(seed, step, place + 1)
    return fake.drawn


def test_real_sets_are_opened_by_name_and_unused_ones_need_not_exist(tmp_path: Path) -> None:
    tiny.hoi4d(tmp_path / "hoi4d", count=2, queries=[0])
    tiny.kubric(tmp_path / "kubric", count=3, queries=[0])
    shares = [
        Share(name="hoi4d", root=tmp_path / "hoi4d", weight=0.5),
        Share(name="kubric", root=tmp_path / "kubric", split="train", weight=0.5),
        Share(name="waymo", root=tmp_path / "none", weight=0),
    ]
    mixture = open_mixture(shares, Reading())
    lengths = {mixture.sample(1, step).xy.shape[1] for step in range(10)}
    assert lengths == {2, 3}
    again = pickle.loads(pickle.dumps(mixture))  # as processes that load ahead get it
    np.testing.assert_array_equal(mixture.sample(1, 7, 2).xy, again.sample(1, 7, 2).xy)


def test_what_cannot_be_mixed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no data set has a weight above 0"):
        open_mixture([Share(name="waymo", root=tmp_path, weight=0)], Reading())
    with pytest.raises(InputError, match="holds no scenes of waymo"):
        open_mixture([Share(name="waymo", root=tmp_path)], Reading())
    for wrong in ({"name": "davis"}, {"name": "waymo", "weight": -1}, {"name": "waymo", "x": 1}):
        with pytest.raises(ConfigError):
            validate(Share, {"root": str(tmp_path), **wrong}, "shares")


def test_every_set_has_a_name() -> None:
    assert list(DATASETS) == ["kubric", "dynamic-replica", "hoi4d", "waymo"]
