import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.render.text import BOLD, draw_text, printable, shortened, text_width

INK = (0, 0, 0)


def drawn(text: str) -> np.ndarray:
    image = np.full((40, 300, 3), 255, np.uint8)
    draw_text(image, text, (5, 30), 24, INK)
    return image


@pytest.mark.parametrize("letters", ["abc", "éüß", "Жук", "λόγος", "海でカイト", "视频", "한국어"])
def test_letters_of_many_scripts_are_really_drawn(letters: str) -> None:
    for letter in letters:
        assert (drawn(letter) < 128).any()
        assert not np.array_equal(drawn(letter), drawn("?"))


def test_what_cannot_be_printed_becomes_a_question_mark() -> None:
    assert printable("a\x00b\udcffc") == "a?b?c"
    assert printable("a\nb\u3000c\u00a0d") == "a b c d"
    np.testing.assert_array_equal(drawn("🙂"), drawn("?"))


def test_text_ends_where_its_width_says() -> None:
    image = np.full((40, 300, 3), 255, np.uint8)
    end = draw_text(image, "Frames", (5, 30), 24, INK, BOLD)
    inked = np.flatnonzero((image < 128).any(axis=(0, 2)))
    assert end == 5 + text_width("Frames", 24, BOLD)
    assert 5 <= inked[0] <= 9
    assert end - 4 <= inked[-1] <= end


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60), width=st.integers(0, 400))
def test_shortened_fits_and_keeps_what_fits(text: str, width: int) -> None:
    short = shortened(text, width, 20)
    assert text_width(short, 20) <= width or short == ""
    if text_width(text, 20) <= width:
        assert short == text
    elif short:
        assert short.endswith("…")
        assert text.startswith(short[:-1])
