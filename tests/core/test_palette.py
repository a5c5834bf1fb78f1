import numpy as np

from moseg.core.palette import davis_palette


def test_davis_palette_has_the_published_values() -> None:
    table = davis_palette()
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    known = {
        0: (0, 0, 0),
        1: (128, 0, 0),
        2: (0, 128, 0),
        3: (128, 128, 0),
        4: (0, 0, 128),
        5: (128, 0, 128),
        7: (128, 128, 128),
        8: (64, 0, 0),
        15: (192, 128, 128),
        21: (128, 64, 128),
        64: (32, 0, 0),
        255: (224, 224, 192),
    }
    assert {i: tuple(table[i].tolist()) for i in known} == known


def test_davis_palette_has_no_colour_twice() -> None:
    assert len(np.unique(davis_palette(), axis=0)) == 256
