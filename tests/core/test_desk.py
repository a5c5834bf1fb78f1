"""Working copies and how they take their place."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from moseg.core.desk import desk, move_into_place


def folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "a").write_text(text)
    (path / "b").write_text(text)
    return path


def test_a_working_copy_is_gone_at_the_end_unless_it_was_moved(tmp_path):
    target = tmp_path / "result"
    with desk(target) as place:
        (place / "a").touch()
    assert list(tmp_path.iterdir()) == []
    with desk(target) as place:
        (place / "a").touch()
        move_into_place(place, target)
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize(
    ("there", "new"),
    [
        ("nothing", "folder"),
        ("nothing", "file"),
        ("folder", "folder"),
        ("folder", "file"),
        ("file", "file"),
    ],
)
def test_a_copy_takes_the_place_of_what_is_there(tmp_path, there, new):
    target, work = tmp_path / "result", tmp_path / ".result.work"
    if there == "folder":
        folder(target, "old")
    if there == "file":
        target.write_text("old")
    if new == "folder":
        folder(work, "new")
    else:
        work.write_text("new")
    move_into_place(work, target)
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    content = (target / "a").read_text() if new == "folder" else target.read_text()
    assert content == "new"


def test_a_folder_never_takes_the_place_of_a_file(tmp_path):
    target, work = tmp_path / "result", folder(tmp_path / ".result.work", "new")
    target.write_text("mine")
    with pytest.raises(NotADirectoryError):
        move_into_place(work, target)
    assert target.read_text() == "mine"


def test_two_that_move_at_the_same_moment_leave_one_whole_copy(tmp_path):
    target = tmp_path / "result"
    for number in range(60):
        works = [folder(tmp_path / f".result.{number}{name}", name) for name in "xyz"]
        gate, errors = threading.Barrier(3), []

        def move(work, gate=gate, errors=errors):
            gate.wait()
            try:
                move_into_place(work, target)
            except OSError as error:
                errors.append(error)

        threads = [threading.Thread(target=move, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert [path.name for path in tmp_path.iterdir()] == ["result"]
        assert len({path.read_text() for path in target.iterdir()}) == 1
        assert len(list(target.iterdir())) == 2
