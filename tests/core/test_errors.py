"""Errors: one printable line, and the operating system's refusals turned into advice."""

from __future__ import annotations

import errno

import pytest

from moseg.core.errors import InputError, OutputError, writing_to


def test_a_message_is_one_printable_line():
    error = InputError("bad\nname \udcff\tof a   file")
    assert str(error) == "bad name \\udcff of a file"
    str(error).encode("utf-8")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.ENOTDIR, "a file stands"),
    ],
)
def test_refusals_name_the_place_and_what_to_do(tmp_path, number, words):
    with pytest.raises(OutputError, match=words) as caught, writing_to(tmp_path / "x"):
        raise OSError(number, "refused")
    assert str(tmp_path / "x") in str(caught.value)
    assert caught.value.exit_code == 2


def test_other_errors_pass(tmp_path):
    with pytest.raises(OSError, match="broken") as caught, writing_to(tmp_path):
        raise OSError(errno.EIO, "broken")
    assert not isinstance(caught.value, OutputError)
