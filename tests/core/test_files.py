import errno
from pathlib import Path

import pytest

from moseg.core.errors import OutputError
from moseg.core.files import partial_path, published


def test_the_file_appears_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    with published(target) as partial:
        partial.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_no_partial_one(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(type(error)), published(target) as partial:
        partial.write_bytes(b"half")
        raise error
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_disk_full_is_an_output_error_that_names_the_target(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    with pytest.raises(OutputError, match=r"a\.bin: the disk is full"), published(target):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_partial_names_are_hidden_short_and_differ(tmp_path: Path) -> None:
    long = partial_path(tmp_path / ("ü" * 125 + ".png"))
    assert long.name.startswith(".")
    assert len(long.name.encode()) < 60
    assert long != partial_path(tmp_path / "a.png")
    assert partial_path(tmp_path / "a.png") == partial_path(tmp_path / "a.png")
    assert partial_path(tmp_path / "bad\udcff.png").parent == tmp_path
