import cv2
import numpy as np

from moseg.render import palette


def test_object_colours_are_bright_and_apart_and_start_over() -> None:
    table = palette.object_colours()
    lab = _lab(table[1:13])
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2) + np.eye(12) * 1e3
    assert distance.min() > 30  # about 2 is the least a person sees side by side
    assert lab[:, 0].min() > 35
    assert table[0].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(table[13:25], table[1:13])


def test_track_colours_run_from_static_over_unsure_to_moving() -> None:
    table = palette.track_colours()
    assert tuple(table[0].tolist()) == palette.STATIC_COLOUR
    assert tuple(table[255].tolist()) == palette.MOVING_COLOUR
    assert np.abs(table[128].astype(int) - palette.UNSURE_COLOUR).max() <= 2


def test_track_colours_stay_apart_for_colour_blind_people() -> None:
    # Simulation of full protanopia, deuteranopia and tritanopia on linear RGB:
    # Machado, Oliveira, Fernandes, IEEE TVCG 2009, severity 1.0.
    simulations = (
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]],
    )  # fmt: skip
    colours = palette.track_colours()[[0, 128, 255]]
    for matrix in simulations:
        linear = (colours / 255.0) ** 2.2 @ np.array(matrix).T
        seen = np.rint(255 * linear.clip(0, 1) ** (1 / 2.2)).astype(np.uint8)
        lab = _lab(seen)
        assert min(np.linalg.norm(lab[a] - lab[b]) for a, b in ((0, 1), (1, 2), (0, 2))) > 30


def _lab(colours: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
