"""`moseg data`: lines, exit codes, and nothing changed where nothing should be."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from moseg.cli.errors import RESUMES
from moseg.motion.datasets import prepare_hoi4d
from tests.cli.commands import moseg
from tests.motion.datasets import replica_release as replica
from tests.motion.datasets import tiny_scenes as tiny
from tests.motion.datasets.hoi4d_release import TAKES, write_release, write_take


def test_hoi4d_is_prepared_once(tmp_path: Path) -> None:
    write_release(tmp_path / "source")
    before = tiny.snapshot(tmp_path)
    command = ("data", "hoi4d", tmp_path / "source", "--out", tmp_path / "out")
    planned = moseg(*command, "--dry-run")
    assert planned.code == 0
    assert planned.out.splitlines() == [
        f"00000: frames and masks of HOI4D_release/{TAKES[0]}/align_rgb/image.mp4",
        f"00001: frames and masks of HOI4D_release/{TAKES[1]}/align_rgb/image.mp4",
        "2 to do; nothing was changed",
    ]
    assert tiny.snapshot(tmp_path) == before
    done = moseg(*command)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "2 done, 0 failed"
    assert moseg(*command).out == "0 done, 0 failed\n"


def test_a_scene_that_fails_is_one_line_and_the_others_are_made(tmp_path: Path) -> None:
    write_take(tmp_path / "source", "A/a/b", masks=0)
    write_take(tmp_path / "source", "B/a/b")
    done = moseg("data", "hoi4d", tmp_path / "source", "--out", tmp_path / "out", "--every", 2)
    assert done.code == 2
    assert done.one_line.startswith("error: 00000: ")
    assert done.out.splitlines() == [
        "00001: 5 frames and masks of B/a/b/align_rgb/image.mp4",
        "1 done, 1 failed",
    ]


def test_stopped_it_says_that_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    write_take(tmp_path / "source", "A/a/b")
    monkeypatch.setattr(prepare_hoi4d, "write_png", stop)
    done = moseg("data", "hoi4d", tmp_path / "source", "--out", tmp_path / "out")
    assert (done.code, done.one_line) == (130, RESUMES)


def test_dynamic_replica_is_prepared(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    replica.write_sequence(tmp_path / "valid", "a_left")
    before = tiny.snapshot(tmp_path)
    command = ("data", "dynamic-replica", tmp_path, "--split", "valid")
    assert moseg(*command, "--dry-run").out.splitlines()[-1] == "1 to do; nothing was changed"
    assert tiny.snapshot(tmp_path) == before
    done = moseg(*command)
    assert (done.code, done.err) == (0, "")
    assert replica.dog_masks(tmp_path / "valid/a_left/dynamic_masks")
    assert moseg("data", "dynamic-replica", tmp_path).one_line.startswith("error: ")


def test_check_tells_each_thing_in_a_line(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, "1")
    tiny.kubric(tmp_path, "2")
    command = ("data", "check", tmp_path, "--layout", "kubric")
    good = moseg(*command)
    assert (good.code, good.out, good.err) == (0, "2 of 2 scenes are complete\n", "")
    (tmp_path / "train/dinos/2/00000.npy").unlink()
    (tmp_path / "train/depth_anything_v2/2/00003.png").unlink()
    bad = moseg(*command)
    assert bad.code == 2
    assert len(bad.err.splitlines()) == len(bad.errors) == 2
    assert all(line.startswith("error: 2: ") for line in bad.errors)
    assert bad.out == "1 of 2 scenes are complete\n"
    assert moseg(*command, "--no-depth", "--no-features").code == 0


def test_clean_lists_asks_and_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.waymo(tmp_path, "1_0", count=2, queries=[0])
    features = tmp_path / "1_0/dinos"
    command = ("data", "clean", tmp_path, "--layout", "waymo")
    planned = moseg(*command, "--dry-run")
    listed = f"delete {features} (0.0 MB)"
    assert planned.out.splitlines() == [listed, "1 to do; nothing was changed"]
    for answer in ("", "\n", "n\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        refused = moseg(*command)
        assert refused.code == 2
        assert refused.err.endswith("error: nothing was changed; answer y, or give --yes\n")
        assert features.is_dir()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    done = moseg(*command)
    assert done.code == 0
    assert done.out.splitlines()[0] == listed
    assert done.out.splitlines()[-1] == "1 done, 0 failed"
    assert not features.exists()
    assert moseg(*command, "--yes").out == "0 to do; nothing was changed\n"


def test_clean_does_not_ask_where_it_is_told_yes(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    done = moseg("data", "clean", tmp_path, "--layout", "kubric", "--yes")
    assert (done.code, done.err) == (0, "")
    assert [path.name for path in (tmp_path / "train/dinos/17").iterdir()] == ["00000.h5"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "none", "--layout", "kubric"),
        ("check", ".", "--layout", "davis"),
        ("check", ".", "--layout", "hoi4d", "--split", "train"),
        ("clean", "none", "--layout", "waymo", "--yes"),
        ("hoi4d", "none", "--out", "out"),
        ("hoi4d", "none", "--out", "out", "--every", 0),
        ("dynamic-replica", "none"),
    ],
)
def test_wrong_calls_end_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = moseg("data", *arguments)
    assert outcome.code == 2
    assert outcome.one_line.startswith("error: ")
    assert list(tmp_path.iterdir()) == []
