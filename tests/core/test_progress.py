"""The display as a person sees it; what it says and shows is tested with its parts."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from moseg.core.progress import Display, Event, Listener, Listeners
from tests.core.telling.happenings import Clock, end, over, progress, scenes, start


class Recorder(Listener):
    def __init__(self, log, name):
        self.log, self.name = log, name

    def handle(self, event):
        self.log.append((self.name, event))

    def note(self, line):
        self.log.append((self.name, line))


def test_listeners_pass_everything_on_in_their_order():
    log, event = [], scenes(3)
    both = Listeners(Recorder(log, "first"), Recorder(log, "second"))
    both.handle(event)
    both.note("hello")
    assert log == [("first", event), ("second", event), ("first", "hello"), ("second", "hello")]


def display(terminal, clock=None):
    console = Console(
        file=io.StringIO(), force_terminal=terminal, width=100, height=30, soft_wrap=True
    )
    return Display(console, clock or Clock())


def printed(display):
    return display.console.file.getvalue().splitlines()


def whole_scene(name):
    return [start(name), progress(1, 2, name), end(name, seconds=1.0), over(name, frames=2)]


def many(number):
    return [scenes(number), *(event for i in range(number) for event in whole_scene(f"s{i}"))]


def test_without_a_terminal_few_scenes_are_told_stage_by_stage():
    with display(False) as shown:
        for event in many(Display.few):
            shown.handle(event)
    told = [
        line for name in ("s0", "s1") for line in (f"{name}: flow", f"{name}: flow done in 1.0 s")
    ]
    assert printed(shown)[:4] == told


def test_without_a_terminal_many_scenes_are_told_scene_by_scene():
    with display(False) as shown:
        for event in many(Display.few + 1):
            shown.handle(event)
    assert printed(shown)[:2] == ["s0: done (2 frames, 0.0 s)", "s1: done (2 frames, 0.0 s)"]
    assert len(printed(shown)) == Display.few + 1


def test_the_next_run_of_a_command_is_told_by_its_own_number_of_scenes():
    with display(False) as shown:
        for event in [*many(Display.few + 1), scenes(1), start("x")]:
            shown.handle(event)
    assert printed(shown)[-1] == "x: flow"


@pytest.mark.parametrize("terminal", [True, False])
def test_failures_and_notes_are_always_told(terminal):
    with display(terminal) as shown:
        shown.note("first")
        shown.handle(scenes(500))
        shown.handle(end("a", status="failed", reason="a: [bold]bad[/bold] :car:"))
        shown.handle(Event("retry", "b", "flow", reason="died", worker="n1:7"))
        shown.say("last")
    text = shown.console.file.getvalue()
    for line in ("first", "error: a: [bold]bad[/bold] :car:", "b: flow failed on n1:7", "last"):
        assert text.count(line) == 1


def test_a_terminal_has_a_table_that_goes_away():
    with display(True) as shown:
        for event in (scenes(30), start("clip", worker="n1:7")):
            shown.handle(event)
        shown._live.refresh()
        assert "n1:7" in shown.console.file.getvalue()
    text = shown.console.file.getvalue()
    assert "\x1b[2K" in text[text.rindex("0 of 30 scenes done") :]
    shown.close()


def test_a_terminal_that_cannot_move_its_cursor_has_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with display(True) as shown:
        for event in many(Display.few + 1):
            shown.handle(event)
    assert printed(shown)[0] == "s0: done (2 frames, 0.0 s)"


def test_a_terminal_is_not_flooded_by_many_scenes():
    with display(True) as shown:
        for event in many(2000):
            shown.handle(event)
    assert len(printed(shown)) < 500
