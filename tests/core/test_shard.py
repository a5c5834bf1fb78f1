"""Shards of scenes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import ConfigError, InputError
from moseg.core.scene import Problem, Scene
from moseg.core.shard import WHOLE, Shard, parse_shard

COUNTS = st.integers(1, 20)
NAMES = st.lists(st.text("ab é日", min_size=1, max_size=6), unique=True, max_size=30)


def scenes(names: list[str]) -> list[Scene]:
    return [Scene(name, Path("/in") / name, "images") for name in names]


@given(NAMES, COUNTS)
def test_every_scene_is_in_exactly_one_shard(names, count):
    taken = [
        scene.name
        for index in range(1, count + 1)
        for scene in Shard(index, count).take(scenes(names))
    ]
    assert sorted(taken) == sorted(names)


@given(NAMES, NAMES, COUNTS, st.data())
def test_a_shard_keeps_its_scenes_whatever_else_is_in_the_list(names, others, count, data):
    shard = Shard(data.draw(st.integers(1, count)), count)
    mixed = data.draw(st.permutations(sorted({*names, *others})))
    kept = [scene for scene in shard.take(scenes(mixed)) if scene.name in names]
    assert {scene.name for scene in kept} == {scene.name for scene in shard.take(scenes(names))}


@given(NAMES, COUNTS)
def test_scenes_keep_their_order(names, count):
    taken = [scene.name for scene in Shard(1, count).take(scenes(names))]
    assert taken == [name for name in names if name in taken]


def test_the_same_scenes_on_every_machine():
    names = ["blackswan", "dog", "drift-straight", "日本"]
    where = {name: [i for i in range(1, 9) if Shard(i, 8).holds(name)] for name in names}
    assert where == {"blackswan": [7], "dog": [1], "drift-straight": [6], "日本": [4]}


def test_inputs_that_are_no_scenes_are_in_one_shard_too():
    problem = Problem("bad\udcff", Path("/in/bad"), InputError("cannot be read"))
    assert [Shard(i, 5).take([problem]) for i in range(1, 6)].count([problem]) == 1


def test_the_whole_takes_all():
    assert WHOLE.take(scenes(["a", "b"])) == scenes(["a", "b"])


def test_each_of_several_parts_has_files_of_its_own():
    assert WHOLE.file_name("run.json") == "run.json"
    names = [Shard(i, 3).file_name("run.json") for i in (1, 2, 3)]
    assert names == ["run-1-of-3.json", "run-2-of-3.json", "run-3-of-3.json"]


def test_shards_are_even_on_average():
    sizes = [sum(Shard(i, 8).holds(f"scene-{n}") for n in range(8000)) for i in range(1, 9)]
    assert sum(sizes) == 8000
    assert all(850 < size < 1150 for size in sizes), sizes


@given(COUNTS, st.data())
def test_the_written_form_is_read_back(count, data):
    shard = Shard(data.draw(st.integers(1, count)), count)
    assert parse_shard(str(shard)) == shard


@pytest.mark.parametrize("text", ["2/8", "1/1", "8/8", "02/08"])
def test_forms_that_are_read(text):
    index, count = text.split("/")
    assert parse_shard(text) == Shard(int(index), int(count))


@pytest.mark.parametrize("text", ["0/8", "9/8", "1/0", "0/0"])
def test_parts_that_do_not_exist(text):
    with pytest.raises(ConfigError, match=f"no shard {text}"):
        parse_shard(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2", "/", "2/", "/8", "-1/8", "+1/8", "1/8/2", "a/b", "1.0/8", " 1/8", "1/8\n"),
        *("1 / 8", "٢/٨", "1/" + "9" * 5000),
    ],
)
def test_other_forms_end_in_one_line(text):
    with pytest.raises(ConfigError, match="is no shard") as caught:
        parse_shard(text)
    assert "\n" not in str(caught.value)
