"""Where objects are clicked, and in which order they are followed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from moseg.sam2.predictor import Prediction
from moseg.sam2.prompting import follow_carried, follow_new
from moseg.sam2.tracks import TrackWindow

SIZE = (4, 60)


class Recorder:
    """Gives a mask of the first `held` of the points 0, 4, 8, ... of a row."""

    def __init__(self, held: int = 100) -> None:
        self.held = held
        self.calls: list[tuple[object, ...]] = []

    def click(self, frame, points):
        self.calls.append(("click", frame, points[:, 0].tolist()))
        mask = np.zeros(SIZE, bool)
        mask[1, : 4 * self.held] = True
        return mask

    def draw(self, frame, mask):
        raise NotImplementedError

    def propagate(self, frames) -> Iterator[Prediction]:
        self.calls.append(("propagate", frames))
        for frame in frames:
            yield Prediction(frame, np.zeros(SIZE, bool), 0.0)

    def carry(self, frame):
        raise NotImplementedError


def tracks(frames: range, seen: range | list[int], count: int = 10) -> TrackWindow:
    xy = np.zeros((count, len(frames), 2), np.float32)
    xy[..., 0] = 4 * np.arange(count)[:, None]
    xy[..., 1] = 1
    visible = np.zeros((count, len(frames)), bool)
    visible[:, [frame - frames.start for frame in seen]] = True
    return TrackWindow(frames.start, xy, visible)


def clicked(recorder: Recorder) -> list[object]:
    return [call[1] for call in recorder.calls if call[0] == "click"]


def passes(recorder: Recorder) -> list[object]:
    return [call[1] for call in recorder.calls if call[0] == "propagate"]


def test_its_own_frame_comes_first_then_every_sixteenth():
    recorder = Recorder()
    frames = range(100, 150)
    found = [p.frame for p in follow_new(recorder, tracks(frames, frames), 127, 16)]
    assert clicked(recorder) == [127, 100, 116, 132, 148]
    assert passes(recorder) == [frames]
    assert found == list(frames)


def test_no_frame_is_clicked_twice_nor_without_points():
    recorder = Recorder()
    frames = range(100, 150)
    list(follow_new(recorder, tracks(frames, range(110, 140)), 116, 16))
    assert clicked(recorder) == [116, 132]


def test_it_is_followed_both_ways_from_the_earliest_prompt():
    recorder = Recorder()
    frames = range(100, 150)
    found = [p.frame for p in follow_new(recorder, tracks(frames, range(110, 140)), 135, 16)]
    assert clicked(recorder) == [135, 116, 132]
    assert passes(recorder) == [range(116, 150), range(116, 99, -1)]
    assert found == [*range(116, 150), *range(116, 99, -1)]


def test_a_carried_object_goes_on_after_the_shared_frame():
    recorder = Recorder()
    frames = range(100, 150)
    found = [p.frame for p in follow_carried(recorder, tracks(frames, frames), 16)]
    assert clicked(recorder) == [116, 132, 148]
    assert found == list(range(101, 150))


def test_a_carried_object_needs_no_tracks():
    recorder = Recorder()
    found = [p.frame for p in follow_carried(recorder, tracks(range(5, 9), [], count=0), 1)]
    assert clicked(recorder) == []
    assert found == [6, 7, 8]


@pytest.mark.parametrize(("held", "again"), [(10, False), (7, False), (6, True), (0, True)])
def test_a_mask_of_less_than_seven_tenths_is_clicked_again(held, again):
    recorder = Recorder(held)
    list(follow_new(recorder, tracks(range(1), [0]), 0, 16))
    first, *second = [call for call in recorder.calls if call[0] == "click"]
    assert first == ("click", 0, [16.0])
    # The centroid is at 18: the point before it, then the ends.
    assert second == ([("click", 0, [16.0, 0.0, 36.0])] if again else [])


def test_only_points_visible_in_the_frame_are_asked_of_a_mask():
    window = tracks(range(1), [0])
    window.visible[5:] = False
    recorder = Recorder(held=4)
    list(follow_new(recorder, window, 0, 16))
    assert [call for call in recorder.calls if call[0] == "click"] == [("click", 0, [8.0])]
