from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from moseg.core.telling.live import MOST_ROWS, clock_time, live_table
from moseg.core.telling.tally import Tally
from tests.core.telling.happenings import Clock, end, over, progress, scenes, start


def rows(clock, *events, width=100, height=30):
    """The lines of the table after events; the clock may be set on before the last of them."""
    tally = Tally(clock)
    for event in events:
        tally.follow(event)
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system=None, width=width, height=height
    )
    console.print(live_table(console, tally), soft_wrap=True)
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


def test_one_scene_alone_has_a_row_for_each_stage_at_work():
    stages = [start("clip", "depths"), start("clip", "tracks")]
    shown = rows(Clock(), scenes(1), *stages, progress(3, 12, "clip", "tracks"))
    assert [row.split()[:2] for row in shown] == [["clip", "depths"], ["clip", "tracks"]]
    assert "3/12 frames" in shown[1]


def test_a_stage_shows_how_far_it_is_and_how_long_it_takes():
    clock = Clock()
    tally = Tally(clock)
    for event in (scenes(1), start("clip", "tracks", worker="n1:7", attempt=2)):
        tally.follow(event)
    clock.now += 70.0
    tally.follow(progress(6, 12, "clip", "tracks"))
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=120)
    console.print(live_table(console, tally))
    text = console.file.getvalue()
    for part in ("clip ", "tracks (try 2)", " 6/12 frames", " 1:10 ", "1:10 left", "n1:7"):
        assert part in text
    assert text.count("\n") == 1


def test_a_stage_that_does_not_say_its_frames_shows_its_time():
    (row,) = rows(Clock(), scenes(1), start("clip", "tracks"))
    assert "frames" not in row
    assert "left" not in row
    assert row.endswith("0:00")


def test_between_stages_of_one_scene_there_is_nothing():
    assert rows(Clock(), scenes(1), start(), end()) == []


def test_several_scenes_have_a_line_on_top():
    head, row = rows(
        Clock(), scenes(9), start("a"), over("a"), start("b"), over("b", "failed"), start("c")
    )
    assert head.endswith("1 of 9 scenes done, 1 running, 1 failed, 6 waiting")
    assert row.startswith("c ")


def test_on_top_is_a_bar_where_there_is_room():
    begun = [scenes(9), *(start(name) for name in "ab")]
    words = "0 of 9 scenes done, 2 running, 7 waiting"
    wide, narrow = rows(Clock(), *begun)[0], rows(Clock(), *begun, width=50)[0]
    assert wide.endswith(words)
    assert len(wide) == 32 + len(words)
    assert narrow == words


def test_what_does_not_fit_is_counted():
    begun = [start(f"s{i:04}") for i in range(1000)]
    head, *shown, last = rows(Clock(), scenes(3000), *begun, height=50)
    assert "1000 running" in head
    assert [row.split()[0] for row in shown] == [f"s{i:04}" for i in range(MOST_ROWS)]
    assert last == f"and {1000 - MOST_ROWS} more"


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60)


@given(
    names=st.lists(NAMES, min_size=1, max_size=30, unique=True),
    width=st.integers(20, 200),
    height=st.integers(8, 60),
    worker=NAMES,
)
def test_it_fits_the_terminal_whatever_the_names(names, width, height, worker):
    begun = [start(name, "dynamic_tracks", worker=worker, attempt=2) for name in names]
    far = [progress(12345, 67890, name, "dynamic_tracks") for name in names]
    shown = rows(Clock(), scenes(99), *begun, *far, width=width, height=height)
    assert len(shown) < height
    assert max(map(cell_len, shown)) <= width


def test_names_are_shown_as_they_are():
    row = rows(Clock(), scenes(1), start("[red]:car:[/red]"))[0]
    assert row.startswith("[red]:car:[/red]")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.9, "0:00"), (61, "1:01"), (3599.9, "59:59"), (3661, "1:01:01")]
)
def test_clock_times(seconds, text):
    assert clock_time(seconds) == text
