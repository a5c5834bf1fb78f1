"""Artefacts that another program left in the reference's layout."""

from __future__ import annotations

import dataclasses

import cv2
import h5py
import numpy as np
import pytest

from moseg.core.disparity import DisparityMaps
from moseg.core.errors import InputError
from moseg.core.query_points import QueryPoints
from moseg.core.track_array import TrackArray
from moseg.core.types import FeatureMap
from moseg.preproc.depths.reference import ReferenceDepths
from moseg.preproc.dinos.reference import ReferenceFeatures
from moseg.preproc.queries.backend import WindowedParams
from moseg.preproc.queries.reference import ReferenceQueries
from moseg.preproc.tracks.reference import ReferenceTracks
from tests.preproc.reference_layout import frames_task, write_depths, write_frames, write_tracks

NAMES = ["a", "a_b", "b", "c_a", "d"]
SIZE = (12, 20)
QUERIES, COUNTS = [0, 1, 4], [3, 2, 4]
GRID = SIZE[0] * SIZE[1]


@pytest.fixture
def scene(tmp_path):
    return write_frames(tmp_path / "images/clip", NAMES, SIZE)


def queries_of(scene, tmp_path, window=100):
    params = WindowedParams(step=1, limit=None, window=window)
    task = frames_task(scene, tmp_path / "work")
    target = tmp_path / "queries.npz"
    ReferenceQueries(params, tmp_path / "bootstapir").run(dataclasses.replace(task, out=target))
    return target


def test_tracks_come_back_as_they_are(scene, tmp_path):
    held = write_tracks(tmp_path / "bootstapir/clip", NAMES, QUERIES, COUNTS)
    queries = queries_of(scene, tmp_path)
    points = QueryPoints.load(queries)
    assert points.query_frames == QUERIES
    assert points.drawn, "fewer points than the grid: a sample"
    task = frames_task(scene, tmp_path / "work", queries=queries)
    ReferenceTracks(tmp_path / "bootstapir").run(task)
    with TrackArray(task.out) as tracks:
        for query in QUERIES:
            rows = points.rows_of_frame(query)
            assert np.array_equal(points.xy[rows], held[query, query][:, :2].astype(np.float32))
            block = tracks.block(rows)
            for target in range(len(NAMES)):
                assert np.array_equal(block[:, target], held[query, target].astype(np.float32))


def test_a_whole_grid_is_still_to_be_drawn_from(scene, tmp_path):
    write_tracks(tmp_path / "bootstapir/clip", NAMES, [0, 4], [GRID, GRID])
    assert not QueryPoints.load(queries_of(scene, tmp_path)).drawn


def test_only_query_frames_of_the_step_are_read(scene, tmp_path):
    write_tracks(tmp_path / "bootstapir/clip", NAMES, QUERIES, COUNTS)
    task = frames_task(scene, tmp_path / "work")
    target = tmp_path / "queries.npz"
    backend = ReferenceQueries(WindowedParams(step=4, limit=7, window=9), tmp_path / "bootstapir")
    report = backend.run(dataclasses.replace(task, out=target))
    assert QueryPoints.load(target).query_frames == [0, 4]
    assert report.notes == ("tracks of 1 query frames are left out, by queries.step",)


def test_tracks_of_long_scenes_are_cut_into_windows(scene, tmp_path):
    held = write_tracks(tmp_path / "bootstapir/clip", NAMES, QUERIES, COUNTS)
    queries = queries_of(scene, tmp_path, window=2)
    points = QueryPoints.load(queries)
    assert points.length == 2
    task = frames_task(scene, tmp_path / "work", queries=queries)
    ReferenceTracks(tmp_path / "bootstapir").run(task)
    with TrackArray(task.out) as tracks:
        start = points.start_of(4)
        assert start == 3
        block = tracks.block(points.rows_of_frame(4))
        assert np.array_equal(block[:, 0], held[4, 3].astype(np.float32))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "a_c_a.npy").unlink(), "a_c_a.npy is missing"),
        (lambda f: (f / "d_b.npy").write_bytes(b"no array"), "d_b.npy is damaged"),
        (lambda f: np.save(f / "d_b.npy", np.ones((9, 4))), "shape"),
        (lambda f: np.save(f / "d_b.npy", np.full((4, 4), np.nan)), "not numbers"),
        (lambda f: np.save(f / "d_b.npy", np.array([{}] * 4)), "damaged"),
        (lambda f: np.save(f / "d_b.npy", np.ones((4, 4), int)), "floating-point"),
        (lambda f: (f / "d_b.npy").write_bytes(b"PK" + bytes(9)), "d_b.npy is damaged"),
        (lambda f: [p.unlink() for p in f.iterdir()], "holds no <query>_<frame>.npy"),
        (lambda f: np.save(f / "d_d.npy", np.full((4, 4), 19.6)), "another size"),
        (lambda f: np.save(f / "d_d.npy", np.full((4, 4), -1.0)), "another size"),
        (lambda f: np.save(f / "d_d.npy", np.ones((241, 4))), "another size"),
        (lambda f: np.save(f / "d_d.npy", np.ones((0, 4))), "holds no tracks"),
    ],
)
def test_wrong_track_files_are_named(scene, tmp_path, damage, words):
    folder = tmp_path / "bootstapir/clip"
    write_tracks(folder, NAMES, QUERIES, COUNTS)
    damage(folder)
    with pytest.raises(InputError, match=words) as caught:
        queries = queries_of(scene, tmp_path)
        ReferenceTracks(tmp_path / "bootstapir").run(
            frames_task(scene, tmp_path / "work", queries=queries)
        )
    assert "\n" not in str(caught.value)


def test_sixteen_bit_depth_comes_back(scene, tmp_path):
    maps = write_depths(tmp_path / "depth/clip", NAMES, SIZE)
    task = frames_task(scene, tmp_path / "work")
    backend = ReferenceDepths(tmp_path / "depth")
    before = backend.identity(scene)
    backend.run(task)
    with DisparityMaps(task.out) as stored:
        assert all(np.array_equal(stored.uint16(t), maps[t]) for t in range(len(NAMES)))
    cv2.imwrite(str(tmp_path / "depth/clip/b.png"), maps[0])
    assert backend.identity(scene) != before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda p: p.unlink(), "missing"),
        (lambda p: p.write_bytes(b""), "damaged"),
        (lambda p: cv2.imwrite(str(p), np.zeros(SIZE, np.uint8)), "16-bit"),
        (lambda p: cv2.imwrite(str(p), np.zeros((6, 10), np.uint16)), "10x6 pixels"),
    ],
)
def test_wrong_depth_images_are_named(scene, tmp_path, damage, words):
    write_depths(tmp_path / "depth/clip", NAMES, SIZE)
    damage(tmp_path / "depth/clip/b.png")
    with pytest.raises(InputError, match=words):
        ReferenceDepths(tmp_path / "depth").run(frames_task(scene, tmp_path / "work"))


def write_features(folder, packed):
    folder.mkdir(parents=True)
    maps = np.random.default_rng(3).normal(size=(3, 4, 6, 5)).astype(np.float16)
    for query, values in zip(QUERIES, maps, strict=True):
        if packed:
            with h5py.File(folder / f"{NAMES[query]}.h5", "w") as file:
                file.create_dataset("dinos", data=values, compression="gzip")
        else:
            np.save(folder / f"{NAMES[query]}.npy", values)
    return maps


def test_features_of_other_frames_are_refused(scene, tmp_path):
    write_tracks(tmp_path / "bootstapir/clip", NAMES, QUERIES, COUNTS)
    write_features(tmp_path / "dinos/clip", False)
    np.save(tmp_path / "dinos/clip/a_b.npy", np.ones((16, 9, 5), np.float16))
    task = frames_task(scene, tmp_path / "work", queries=queries_of(scene, tmp_path))
    with pytest.raises(InputError, match="9x16 cells"):
        ReferenceFeatures(tmp_path / "dinos").run(task)


@pytest.mark.parametrize("packed", [False, True])
def test_features_are_read_by_name(scene, tmp_path, packed):
    write_tracks(tmp_path / "bootstapir/clip", NAMES, QUERIES, COUNTS)
    maps = write_features(tmp_path / "dinos/clip", packed)
    task = frames_task(scene, tmp_path / "work", queries=queries_of(scene, tmp_path))
    ReferenceFeatures(tmp_path / "dinos").run(task)
    for query, values in zip(QUERIES, maps, strict=True):
        assert np.array_equal(FeatureMap.load(task.out / f"{query:05d}.npz").values, values)


@pytest.mark.parametrize("packed", [False, True])
def test_damaged_features_are_named(scene, tmp_path, packed):
    write_tracks(tmp_path / "bootstapir/clip", NAMES, QUERIES, COUNTS)
    write_features(tmp_path / "dinos/clip", packed)
    path = tmp_path / "dinos/clip" / ("a_b.h5" if packed else "a_b.npy")
    path.write_bytes(path.read_bytes()[:60])
    task = frames_task(scene, tmp_path / "work", queries=queries_of(scene, tmp_path))
    with pytest.raises(InputError, match="a_b"):
        ReferenceFeatures(tmp_path / "dinos").run(task)
