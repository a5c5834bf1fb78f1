"""Four panels that show where a prediction is right and wrong."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from moseg.render import error_picture as drawn
from moseg.render.error_picture import (
    FALSE_ALARM,
    HIT,
    MISSED,
    UNCOUNTED,
    WRONG_OBJECT,
    Caption,
    error_picture,
    saliency_picture,
)
from moseg.render.palette import Colour, object_colours

CAPTION = Caption("dog", "00001", "J = 0.500")
HEIGHT, WIDTH = 480, 640  # a panel is as large as the frame, so pixels can be looked up
LEFT, TOP = 28, 130  # of the first panel

# Machado, Oliveira and Fernandes 2009: what the colour blind see, on linear RGB.
SIGHT = {
    "all": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def empty() -> np.ndarray:
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def panels(picture: np.ndarray) -> list[np.ndarray]:
    """Frame, truth, prediction and error of a picture of a frame of 640x480."""
    down, right = HEIGHT + 16 + 38, WIDTH + 16
    corners = itertools.product((TOP, TOP + down), (LEFT, LEFT + right))
    return [picture[y : y + HEIGHT, x : x + WIDTH] for y, x in corners]


def nearest(pixel: np.ndarray) -> str:
    """The colour of the legend that a pixel is most like; none of them if it is grey."""
    if np.ptp(pixel.astype(int)) < 20:
        return "grey"
    names = ("HIT", "MISSED", "FALSE_ALARM", "WRONG_OBJECT")
    return min(names, key=lambda name: np.abs(pixel - np.array(getattr(drawn, name))).sum())


def test_each_pixel_of_the_error_panel_has_the_colour_of_what_happened() -> None:
    truth, pred = empty(), empty()
    truth[100:200, 100:300] = 1
    truth[100:200, 300:400] = 2
    pred[100:200, 200:350] = 1  # misses 100..200, hits 200..300, is wrong 300..350
    pred[300:400, 100:200] = 2
    error = panels(error_picture(frame(), truth, pred, None, CAPTION))[3]
    assert nearest(error[150, 150]) == "MISSED"
    assert nearest(error[150, 250]) == "HIT"
    assert nearest(error[150, 325]) == "WRONG_OBJECT"
    assert nearest(error[150, 375]) == "MISSED"
    assert nearest(error[350, 150]) == "FALSE_ALARM"
    assert nearest(error[450, 450]) == "grey"


def test_void_is_striped_whatever_was_predicted_there() -> None:
    void = np.zeros((HEIGHT, WIDTH), np.bool_)
    void[300:400, 100:200] = True
    pred = empty()
    pred[300:400, 100:200] = 1
    _, truth, _, error = panels(error_picture(frame(), empty(), pred, void, CAPTION))
    for panel in (truth, error):
        striped = panel[300:400, 100:200]
        assert len(np.unique(striped.reshape(-1, 3), axis=0)) == 2
        assert (striped == UNCOUNTED).all(axis=2).mean() == pytest.approx(0.5, abs=0.1)
    assert not (error[:, 200:] == UNCOUNTED).all(axis=2).any()


def test_the_frame_is_shown_as_it_is_and_objects_in_their_colours() -> None:
    truth, pred = empty(), empty()
    truth[100:200, 100:200] = 3
    pred[200:300, 200:300] = 5
    shown = frame()
    seen, true, predicted, _ = panels(error_picture(shown, truth, pred, None, CAPTION))
    np.testing.assert_array_equal(seen, shown)
    colours = object_colours()
    np.testing.assert_array_equal(true[100, 150], colours[3])
    np.testing.assert_array_equal(predicted[200, 250], colours[5])
    assert np.ptp(true[250, 250].astype(int)) == 0, "the rest is grey"


def test_without_a_frame_grey_stands_for_it() -> None:
    seen, *_ = panels(error_picture(None, empty(), empty(), None, CAPTION))
    assert (seen == 128).all()


def test_grey_levels_are_shown_as_they_are_and_errors_by_how_much_they_are_wrong() -> None:
    truth, level = empty(), empty()
    truth[:, :300] = 1
    level[:240] = 255
    level[240:300] = 128
    _, true, predicted, error = panels(saliency_picture(None, truth, level, None, CAPTION))
    np.testing.assert_array_equal(predicted[..., 0], level)
    assert (true[:, :300] == 255).all()
    assert (true[:, 300:] == 0).all()
    np.testing.assert_array_equal(error[100, 100], HIT)
    np.testing.assert_array_equal(error[400, 100], MISSED)
    np.testing.assert_array_equal(error[100, 500], FALSE_ALARM)
    assert np.ptp(error[400, 500].astype(int)) == 0
    between = error[270, 100].astype(int)
    assert np.abs(between - (np.array(HIT) + MISSED) / 2).max() <= 1


def test_the_legend_names_only_what_can_be_there() -> None:
    one, two = empty(), empty()
    one[:50, :50], two[50:100, 50:100] = 1, 2
    void = one > 0
    legends = [
        error_picture(None, one, one, None, CAPTION),
        error_picture(None, one, two, None, CAPTION),
        error_picture(None, one, two, void, CAPTION),
    ]
    below = [picture[TOP + 2 * HEIGHT + 60 :].reshape(-1, 3) for picture in legends]
    for colour, expected in ((WRONG_OBJECT, [0, 1, 1]), (UNCOUNTED, [0, 0, 1]), (HIT, [1, 1, 1])):
        assert [bool((part == colour).all(axis=1).any()) for part in below] == expected


@pytest.mark.parametrize("shape", [(24, 32), (1, 1), (3, 900), (2160, 3840), (640, 90)])
@pytest.mark.parametrize("draw", [error_picture, saliency_picture])
def test_frames_of_any_size_fit(draw, shape: tuple[int, int]) -> None:
    ids = np.ones(shape, np.uint8)
    picture = draw(None, ids, ids, ids > 0, CAPTION)
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert 800 <= picture.shape[1] <= 2 * 640 + 72
    assert (picture[:4] == 255).all()


def test_the_frame_is_named_however_long_the_name_of_the_sequence_is() -> None:
    def header(sequence: str, name: str) -> np.ndarray:
        caption = Caption(sequence, name, "")
        return error_picture(None, empty(), empty(), None, caption)[:92]

    assert not np.array_equal(header("dog" * 99, "00001"), header("dog" * 99, "00002"))


def test_inputs_are_never_changed() -> None:
    shown, ids, void = frame(), empty() + 1, np.ones((HEIGHT, WIDTH), np.bool_)
    before = shown.copy()
    error_picture(shown, ids, ids, void, CAPTION)
    saliency_picture(shown, ids, ids, void, CAPTION)
    np.testing.assert_array_equal(shown, before)
    assert (ids == 1).all()


def test_masks_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="ids must be"):
        error_picture(frame(), empty(), empty()[1:], None, CAPTION)


@pytest.mark.parametrize("kind", SIGHT)
def test_the_colours_keep_apart_for_the_colour_blind(kind: str) -> None:
    """20 is about ten times what an eye just tells apart (CIE 1976)."""
    colours = (HIT, MISSED, FALSE_ALARM, WRONG_OBJECT, UNCOUNTED)
    seen = [_seen(colour, np.array(SIGHT[kind])) for colour in colours]
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) > 20


def _seen(colour: Colour, sight: np.ndarray) -> np.ndarray:
    share = np.array(colour) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    light = (sight @ linear).clip(0, 1)
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(shown.astype(np.float32)[None, None], cv2.COLOR_RGB2LAB)[0, 0]
