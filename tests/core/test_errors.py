"""Errors: one printable line, and the operating system's refusals turned into advice."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from moseg.core.errors import InputError, OutputError, writing_to
from tests.limits import largest_file


def test_a_message_is_one_printable_line():
    error = InputError("first line:\n  bad\tname \udcff of a   file \x1b[31m")
    assert str(error) == "first line: bad\\tname \\udcff of a   file \\x1b[31m"
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.ENOTDIR, "a file stands"),
        (errno.EISDIR, "a folder stands"),
        (errno.EFBIG, "larger than allowed"),
    ],
)
def test_refusals_name_the_place_and_what_to_do(tmp_path, number, words):
    with pytest.raises(OutputError, match=words) as caught, writing_to(tmp_path / "x"):
        raise OSError(number, "refused")
    assert str(tmp_path / "x") in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_array_that_numpy_writes_in_part_means_a_full_disk(tmp_path):
    place = tmp_path / "x.npy"
    with largest_file(5000), pytest.raises(OutputError, match="disk is full"), writing_to(place):
        np.save(place, np.zeros(10_000))


def test_other_errors_pass(tmp_path):
    with pytest.raises(OSError, match="broken") as caught, writing_to(tmp_path):
        raise OSError(errno.EIO, "broken")
    assert not isinstance(caught.value, OutputError)
