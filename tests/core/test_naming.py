"""What file names say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.naming import is_hidden, is_image_name, is_video_name, natural_key

NAMES = st.text(st.sampled_from("aB0129_.- é٣"), max_size=12)


def test_numbers_count_as_numbers() -> None:
    names = ["img10", "img2", "IMG1", "img2b", "a", "10", "9", "img02"]
    assert sorted(names, key=natural_key) == [
        *("9", "10", "a", "IMG1", "img02", "img2", "img2b", "img10")
    ]


@given(NAMES, NAMES)
def test_no_two_names_tie(first: str, second: str) -> None:
    assert (natural_key(first) == natural_key(second)) == (first == second)
    assert (natural_key(first) < natural_key(second)) or natural_key(second) <= natural_key(first)


@given(st.text(st.sampled_from("ab_"), max_size=4), st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbered_names_sort_by_number(stem: str, first: int, second: int) -> None:
    in_order = natural_key(f"{stem}{first}.png") < natural_key(f"{stem}{second}.png")
    assert in_order == (first < second)


@pytest.mark.parametrize(
    "name", ["a.PNG", "a.jpg", "b.x.JPEG", "c.tif", "c.tiff", "d.webp", "e.bmp"]
)
def test_images(name: str) -> None:
    assert is_image_name(Path(name))
    assert not is_video_name(Path(name))


@pytest.mark.parametrize("name", ["a.MP4", "a.mov", "a.b.mkv", "a.webm", "a.gif", "a.ts", "a.3gp"])
def test_videos(name: str) -> None:
    assert is_video_name(Path(name))
    assert not is_image_name(Path(name))


@pytest.mark.parametrize("name", ["a", "mp4", ".mp4", "a.txt", "a.mp4.part", "a.png~"])
def test_neither(name: str) -> None:
    assert not is_video_name(Path(name))
    assert not is_image_name(Path(name))


def test_hidden() -> None:
    assert is_hidden(Path("x/._a.png"))
    assert not is_hidden(Path(".x/a.png"))
