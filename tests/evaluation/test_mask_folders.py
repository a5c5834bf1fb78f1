"""Names of sequences and frames: what folders hold, in natural order."""

from __future__ import annotations

from pathlib import Path

import pytest

from moseg.core.errors import InputError
from moseg.evaluation.mask_folders import mask_files, sequence_folders


def test_hidden_folders_and_files_are_no_sequences(tmp_path: Path) -> None:
    for name in ("dog10", "dog9", ".cache"):
        (tmp_path / name).mkdir()
    for name in ("readme.txt", "f10.png", "f9.PNG", ".f1.png"):
        (tmp_path / name).touch()
    assert sequence_folders(tmp_path) == ["dog9", "dog10"]
    assert list(mask_files(tmp_path)) == ["f9", "f10"]


def test_two_masks_of_one_frame_are_refused(tmp_path: Path) -> None:
    for name in ("00001.png", "00001.PNG"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="two masks of one frame; keep one"):
        mask_files(tmp_path)


def test_masks_of_two_kinds_are_taken_only_where_nothing_is_lost(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "2.bmp"):
        (tmp_path / name).touch()
    kinds = (".png", ".bmp")
    assert [path.name for path in mask_files(tmp_path, kinds).values()] == ["1.png", "2.png"]
    (tmp_path / "3.bmp").touch()
    with pytest.raises(InputError, match=r"holds 1\.png and, of other frames, 3\.bmp"):
        mask_files(tmp_path, kinds)
