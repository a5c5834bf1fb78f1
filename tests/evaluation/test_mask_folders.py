"""Names of sequences and frames: what folders hold, in natural order."""

from __future__ import annotations

from pathlib import Path

from moseg.evaluation.mask_folders import mask_files, sequence_folders


def test_hidden_folders_and_files_are_no_sequences(tmp_path: Path) -> None:
    for name in ("dog10", "dog9", ".cache"):
        (tmp_path / name).mkdir()
    for name in ("readme.txt", "f10.png", "f9.PNG", ".f1.png"):
        (tmp_path / name).touch()
    assert sequence_folders(tmp_path) == ["dog9", "dog10"]
    assert list(mask_files(tmp_path)) == ["f9", "f10"]
