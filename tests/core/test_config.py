"""Configuration: one line for every mistake."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field

from moseg.core.config import (
    apply_settings,
    merge,
    name_backends,
    read_yaml,
    reference_page,
    validate,
)
from moseg.core.errors import ConfigError
from moseg.core.stage import Params


class Inner(Params):
    """Settings of the inner thing."""

    spacing: int = Field(4, ge=1, le=64, description="distance of tracks")
    mode: Literal["a", "b"] = Field("a", description="how")


class Outer(Params):
    """All settings."""

    seed: int = Field(0, ge=0, description="seed")
    tracks: Inner = Field(default_factory=Inner, description="tracks")


def test_values_and_defaults():
    config = validate(Outer, {"tracks": {"spacing": 8}}, "x.yaml")
    assert (config.seed, config.tracks.spacing, config.tracks.mode) == (0, 8, "a")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"trakcs": {}}, ["x.yaml", "unknown key 'trakcs'", "did you mean 'tracks'"]),
        ({"tracks": {"spacng": 1}}, ["tracks.spacng", "did you mean 'tracks.spacing'"]),
        ({"tracks": {"spacing": 0}}, ["tracks.spacing", "greater than or equal to 1", "got 0"]),
        ({"tracks": {"mode": "c"}}, ["tracks.mode", "'a' or 'b'", "got 'c'"]),
        ({"seed": "x", "tracks": {"spacing": 99}}, ["seed", "tracks.spacing"]),
    ],
)
def test_mistakes_are_named_in_one_line(data, words):
    with pytest.raises(ConfigError) as caught:
        validate(Outer, data, "x.yaml")
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words)


def test_settings_on_top():
    base = {"tracks": {"spacing": 8}}
    assert apply_settings(base, ["tracks.mode=b", "seed=3"]) == {
        "tracks": {"spacing": 8, "mode": "b"},
        "seed": 3,
    }
    assert base == {"tracks": {"spacing": 8}}
    for wrong in ("tracks.mode", "=3", "seed.x=1"):
        with pytest.raises(ConfigError):
            apply_settings({"seed": 1}, [wrong])


def test_merge_goes_section_by_section():
    assert merge({"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"y": 3}, "c": 4}) == {
        "a": {"x": 1, "y": 3},
        "b": 1,
        "c": 4,
    }


@pytest.mark.parametrize("text", ["a: [1", "- 1\n- 2", "\x00"])
def test_files_that_are_no_configuration(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"x\.yaml"):
        read_yaml(path)
    with pytest.raises(ConfigError, match="no such"):
        read_yaml(tmp_path / "none.yaml")


def test_reference_page_has_every_key_type_and_range():
    page = reference_page(Outer)
    assert "| `tracks.spacing` | integer >= 1, <= 64 | `4` | distance of tracks |" in page
    assert "| `tracks.mode` | `a` / `b` | `a` | how |" in page
    assert "Settings of the inner thing." in page


class Plain(Params):
    """The plain one."""

    backend: Literal["plain"] = Field("plain", description="no network")
    size: int = Field(2, ge=1, description="how large")


class Fancy(Params):
    """The fancy one."""

    backend: Literal["fancy"] = Field("fancy", description="a network")
    depth: int = Field(3, ge=1, description="how deep")


class Either(Params):
    """Settings with a choice of backends."""

    tracks: Plain | Fancy = Field(Plain(), discriminator="backend")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, Plain()),
        ({"tracks": {"size": 7}}, Plain(size=7)),
        ({"tracks": {"backend": "fancy", "depth": 9}}, Fancy(depth=9)),
    ],
)
def test_a_section_is_of_the_backend_that_it_names(data, expected):
    assert validate(Either, name_backends(Either, data), "x.yaml").tracks == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"tracks": {"backend": "other"}}, ["tracks.backend", "'plain' or 'fancy'", "'other'"]),
        ({"tracks": {"depth": 3}}, ["unknown key 'tracks.depth'"]),
        ({"tracks": {"backend": "fancy", "dept": 3}}, ["'tracks.dept'", "'tracks.depth'"]),
        ({"tracks": {"backend": "fancy", "depth": 0}}, ["tracks.depth:", "got 0"]),
        ({"tracks": 5}, ["tracks"]),
    ],
)
def test_mistakes_in_a_chosen_backend_are_named(data, words):
    with pytest.raises(ConfigError) as caught:
        validate(Either, name_backends(Either, data), "x.yaml")
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words)


def test_reference_page_has_a_table_for_every_backend():
    page = reference_page(Either)
    assert "`tracks` with backend `plain`" in page
    assert "| `tracks.depth` |" in page
