"""Names of sequences and frames: lists a user gives, what folders hold, natural order."""

from __future__ import annotations

from pathlib import Path

import pytest

from moseg.core.errors import InputError
from moseg.evaluation.mask_folders import mask_files, parse_sequences, sequence_folders


def test_sequences_from_a_comma_list_and_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "val.txt"
    file.write_text("dog\n\n# hard ones\n cat # two of them\n", encoding="utf-8")
    assert parse_sequences("dog, cat,") == ["dog", "cat"]
    assert parse_sequences(str(file)) == ["dog", "cat"]


def test_sequences_that_name_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# none\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for text in (" , ", str(tmp_path / "empty.txt")):
        with pytest.raises(InputError, match="no name in it"):
            parse_sequences(text)
    with pytest.raises(InputError, match="binary: cannot be read as a list"):
        parse_sequences(str(tmp_path / "binary"))


def test_hidden_folders_and_files_are_no_sequences(tmp_path: Path) -> None:
    for name in ("dog10", "dog9", ".cache"):
        (tmp_path / name).mkdir()
    for name in ("readme.txt", "f10.png", "f9.PNG", ".f1.png"):
        (tmp_path / name).touch()
    assert sequence_folders(tmp_path) == ["dog9", "dog10"]
    assert list(mask_files(tmp_path)) == ["f9", "f10"]
