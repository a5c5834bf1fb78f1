"""What moves in Dynamic Replica, told by trajectories."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from moseg.core.errors import InputError, OutputError
from moseg.motion.datasets import prepare_dynamic_replica
from moseg.motion.datasets.instances import InstanceMotion, find_motion
from moseg.motion.datasets.prepare_dynamic_replica import jobs
from tests.motion.datasets import replica_release as replica
from tests.motion.datasets.tiny_scenes import snapshot

Frames = Sequence[tuple[np.ndarray, np.ndarray]]


def path_of(steps: Sequence[float], instances: Sequence[Sequence[int]]) -> Frames:
    """Frames in which point k goes `steps[k]` along x from each to the next."""
    start = np.arange(len(steps) * 3, dtype=float).reshape(-1, 3)
    way = np.array(steps)[:, None] * [1, 0, 0]
    return [(start + frame * way, np.array(on)) for frame, on in enumerate(instances)]


def test_a_point_moves_from_a_tenth_of_a_millimetre_on() -> None:
    motion = find_motion(path_of([1.01e-4, 0.99e-4], [[1, 2]] * 3))
    assert motion.ids.tolist() == [1, 2]
    assert motion.dynamic.tolist() == [True, False]


def test_the_largest_step_counts() -> None:
    frames = path_of([0, 0], [[1, 2]] * 5)
    frames[2][0][0, 1] += 1  # there and back again
    assert find_motion(frames).dynamic.tolist() == [True, False]


def test_an_instance_moves_if_more_than_half_of_its_observations_do() -> None:
    moves, stands = 1.0, 0.0
    half = find_motion(path_of([moves, stands], [[5, 5], [5, 5]]))
    assert half.dynamic.tolist() == [False]
    more = find_motion(path_of([moves, stands], [[5, 5], [5, 5], [5, 6]]))
    assert dict(zip(more.ids.tolist(), more.dynamic.tolist(), strict=True)) == {5: True, 6: False}


def test_ids_are_matched_with_values_by_their_order() -> None:
    motion = InstanceMotion(np.array([2, 5, 9]), np.array([True, False, True]))
    assert motion.moving_values(np.array([10, 20, 30])).tolist() == [10, 30]
    with pytest.raises(InputError, match="know 3 instances, the id maps 2"):
        motion.moving_values(np.array([10, 20]))
    everything = InstanceMotion(np.array([2, 5]), np.array([True, True]))
    assert everything.moving_values(np.array([10])) is None


def test_trajectories_that_do_not_belong_together() -> None:
    with pytest.raises(InputError, match="no trajectories"):
        find_motion([])
    with pytest.raises(InputError, match="number of points changes"):
        find_motion([*path_of([0], [[1]]), *path_of([0, 0], [[1, 1]])])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("torch")
    replica.write_sequence(tmp_path, "a_left")
    replica.write_sequence(tmp_path, "a_right", moving=())
    replica.write_sequence(tmp_path, "b_left", moving=(replica.CHAIR, replica.DOG))
    return tmp_path


def prepare(folder: Path) -> dict[str, str]:
    """Do all jobs; what each said."""
    return {job.scene: job.work() for job in jobs(folder)}


def test_moving_instances_become_masks_and_the_right_camera_follows_the_left(
    folder: Path,
) -> None:
    before = snapshot(folder)
    shutil.rmtree(folder / "a_right/trajectories")
    told = prepare(folder)
    assert list(told) == ["a_left", "b_left", "a_right"]
    assert told["a_right"] == "3 masks, 1 instances move"
    assert told["b_left"] == "3 masks, all objects move"
    for name in ("a_left", "a_right"):
        assert replica.dog_masks(folder / name / "dynamic_masks")
        assert {p.name for p in (folder / name / "dynamic_masks").iterdir()} == {
            p.name for p in (folder / name / "instance_id_maps").iterdir()
        }
    assert snapshot(folder / "b_left/dynamic_masks") == snapshot(folder / "b_left/masks")
    record = json.loads((folder / "processed_dir.json").read_text())
    assert record == {"a_left": [replica.DOG_VALUE], "b_left": "all"}
    after = snapshot(folder)
    kept = {name: content for name, content in before.items() if "a_right/traj" not in name}
    assert {name: after[name] for name in kept} == kept
    assert prepare(folder) == {}


def test_planning_changes_nothing(folder: Path) -> None:
    before = snapshot(folder)
    assert [job.scene for job in jobs(folder)] == ["a_left", "b_left", "a_right"]
    assert snapshot(folder) == before


def test_stopped_and_started_again_it_leaves_what_it_leaves_undisturbed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tmp_path_factory.mktemp("good")
    shutil.copytree(folder, good, dirs_exist_ok=True)
    prepare(good)
    write, written = prepare_dynamic_replica.write_png, []

    def stop_at_second(path: Path, image: np.ndarray) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write(path, image)

    monkeypatch.setattr(prepare_dynamic_replica, "write_png", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        prepare(folder)
    assert not (folder / "a_left/dynamic_masks").exists()
    monkeypatch.undo()
    # What a process that is killed leaves, which cannot clear up:
    (folder / "a_left/.partial-dynamic_masks").mkdir()
    (folder / "a_left/.partial-dynamic_masks/half.png").write_bytes(b"half")
    prepare(folder)
    assert snapshot(folder) == snapshot(good)


def test_what_cannot_be_told_is_left_out_and_named(folder: Path) -> None:
    lacking = "746af7-7_obj_source_left"
    replica.write_sequence(folder, lacking, extra_value=1)
    replica.write_sequence(folder, "c_right")
    replica.write_sequence(folder, "d_left")
    shutil.rmtree(folder / "d_left/trajectories")
    replica.write_sequence(folder, "e_left")
    (folder / "e_left/trajectories/000001.pth").write_bytes(b"damaged")
    problems = {}
    for job in jobs(folder):
        try:
            job.work()
        except InputError as error:
            problems[job.scene] = str(error)
    assert set(problems) == {lacking, "c_right", "d_left", "e_left"}
    assert "know 2 instances, the id maps 3" in problems[lacking]
    assert problems[lacking].endswith("left out (known to lack an id)")
    assert "c_left is missing" in problems["c_right"]
    assert "trajectories/ is missing or holds no .pth" in problems["d_left"]
    assert "000001.pth" in problems["e_left"]
    assert not (folder / lacking / "dynamic_masks").exists()
    assert (folder / "a_right/dynamic_masks").is_dir()


def test_lacking_an_id_does_no_harm_where_everything_moves(folder: Path) -> None:
    replica.write_sequence(folder, "f_left", moving=(replica.CHAIR, replica.DOG), extra_value=1)
    assert prepare(folder)["f_left"] == "3 masks, all objects move"


def test_records_of_another_program_are_not_overwritten(folder: Path) -> None:
    for text in ('{"a_left": {"ids": 3}}', "{", "[]"):
        (folder / "processed_dir.json").write_text(text)
        with pytest.raises(OutputError, match=r"processed_dir.json is"):
            prepare(folder)
        assert (folder / "processed_dir.json").read_text() == text


def test_a_folder_without_sequences(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no sequences"):
        jobs(tmp_path)
    with pytest.raises(InputError, match="cannot be listed"):
        jobs(tmp_path / "none")
