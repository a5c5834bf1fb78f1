"""Data sets made smaller."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from moseg.core.errors import InputError, OutputError
from moseg.motion.datasets import clean
from moseg.motion.datasets.clean import find_cleanings
from moseg.motion.datasets.dynamic_replica import DynamicReplica
from moseg.motion.datasets.hoi4d import Hoi4d
from moseg.motion.datasets.kubric import Kubric
from moseg.motion.datasets.waymo import Waymo
from tests.motion.datasets import tiny_scenes as tiny


def clean_all(dataset) -> None:
    for cleaning in list(find_cleanings(dataset)):
        cleaning.run()


def test_looking_changes_nothing(tmp_path: Path) -> None:
    tiny.kubric(tmp_path)
    before = tiny.snapshot(tmp_path)
    found = list(find_cleanings(Kubric(tmp_path, "train")))
    assert [cleaning.path.name for cleaning in found] == ["00000.npy", "00008.npy"]
    assert all(cleaning.line.startswith(f"pack {cleaning.path}") for cleaning in found)
    assert tiny.snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("write", "kind", "split", "folder"),
    [
        (tiny.kubric, Kubric, "train", "train/dinos/17"),
        (tiny.hoi4d, Hoi4d, None, "dinos2/00000"),
        (tiny.dynamic_replica, DynamicReplica, "train", "train/009850-3_obj_source_left/dinos"),
    ],
)
def test_features_are_packed_and_read_as_before(tmp_path: Path, write, kind, split, folder) -> None:
    write(tmp_path)
    dataset = kind(tmp_path, split)
    before = dataset.sample(0, np.random.default_rng(0))
    stored = {path.stem: np.load(path) for path in (tmp_path / folder).iterdir()}
    clean_all(dataset)
    packed = sorted((tmp_path / folder).iterdir())
    assert [path.name for path in packed] == [f"{name}.h5" for name in sorted(stored)]
    for path in packed:
        with h5py.File(path) as file:
            assert file["dinos"].dtype == np.float16
            assert file["dinos"].compression == "gzip"
            np.testing.assert_array_equal(file["dinos"], stored[path.stem])
    after = dataset.sample(0, np.random.default_rng(0))
    np.testing.assert_array_equal(before.features, after.features)
    assert list(find_cleanings(dataset)) == []


def test_of_stereo_only_the_named_folders_go(tmp_path: Path) -> None:
    tiny.dynamic_replica(tmp_path, "a_left", count=2, queries=[])
    here = tmp_path / "train/a_left"
    gone = ["flow_forward", "flow_backward", "flow_forward_mask", "flow_backward_mask", "cotracker"]
    kept = {path.name for path in here.iterdir()} | {"flow_notes", "depths", "my_cotracker"}
    for name in [*gone, *kept]:
        (here / name).mkdir(exist_ok=True)
        (here / name / "file").write_text("x")
    dataset = DynamicReplica(tmp_path, "train")
    assert sorted(c.path.name for c in find_cleanings(dataset)) == sorted(gone)
    clean_all(dataset)
    assert {path.name for path in here.iterdir()} == kept


def test_of_waymo_features_go_and_links_stay(tmp_path: Path) -> None:
    tiny.waymo(tmp_path, "1_0", count=2, queries=[0])
    tiny.waymo(tmp_path, "1_1", count=2, queries=[])
    (tmp_path / "1_1/dinos").symlink_to(tmp_path / "1_0/images")
    clean_all(Waymo(tmp_path))
    assert not (tmp_path / "1_0/dinos").exists()
    assert (tmp_path / "1_1/dinos").is_symlink()
    assert len(list((tmp_path / "1_0/images").iterdir())) == 2


def test_damaged_features_stay(tmp_path: Path) -> None:
    tiny.kubric(tmp_path)
    path = tmp_path / "train/dinos/17/00000.npy"
    path.write_bytes(path.read_bytes()[:-10])
    before = tiny.snapshot(tmp_path)
    with pytest.raises(InputError, match="damaged"):
        next(find_cleanings(Kubric(tmp_path, "train"))).run()
    assert tiny.snapshot(tmp_path) == before


def test_the_original_stays_unless_the_copy_reads_back_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.kubric(tmp_path)
    read = clean.read_packed_features
    monkeypatch.setattr(clean, "read_packed_features", lambda path: read(path) + 1)
    first = next(find_cleanings(Kubric(tmp_path, "train")))
    with pytest.raises(OutputError, match="does not hold what was written"):
        first.run()
    assert first.path.is_file()
    monkeypatch.undo()
    first.run()
    assert not first.path.exists()


def test_killed_between_copy_and_removal_it_goes_on(tmp_path: Path) -> None:
    tiny.kubric(tmp_path)
    path = tmp_path / "train/dinos/17/00000.npy"
    path.with_suffix(".h5").write_bytes(b"half a file")
    values = np.load(path)
    clean_all(Kubric(tmp_path, "train"))
    with h5py.File(path.with_suffix(".h5")) as file:
        np.testing.assert_array_equal(file["dinos"], values)
