"""Whoever computes, and wherever: the same files, byte for byte."""

from __future__ import annotations

import pytest

from tests.cli.commands import good_frames
from tests.cluster.runs import INFERENCE, NOT_TAKEN, ON_RAY, SETTINGS, TRIES, computed, running
from tests.media import moving_square_frames, write_images
from tests.pipeline.runs import STAGES, tree

pytest.importorskip("ray")
pytestmark = pytest.mark.slow


def check(out, clips_run):
    assert tree(out) == tree(clips_run)
    assert computed(out) == {(scene, stage): 1 for scene in "abc" for stage in STAGES}


def test_two_workers_of_a_local_ray(tmp_path, clips, clips_run):
    out = tmp_path / "out"
    with running(clips, "--out", out, *ON_RAY, *SETTINGS) as run:
        assert run.wait() == 0, run.told
    check(out, clips_run)


def test_two_nodes(tmp_path, clips, clips_run, cluster):
    out = tmp_path / "out"
    command = (clips, "--out", out, "--ray", "auto", *SETTINGS)
    with running(*command, **cluster.environment) as run:
        assert run.wait() == 0, run.told
    check(out, clips_run)


def test_two_nodes_from_outside(tmp_path, clips, clips_run, cluster):
    out = tmp_path / "out"
    command = (clips, "--out", out, "--ray", cluster.client, *SETTINGS)
    for _ in range(TRIES):
        with running(*command, **cluster.environment) as run:
            code = run.wait()
        if NOT_TAKEN not in run.told:
            break
    else:
        pytest.skip("Ray's server for drivers from outside does not come up")
    assert code == 0, run.told
    check(out, clips_run)


def test_stages_by_name(tmp_path, cluster):
    config = tmp_path / "fast.yaml"
    config.write_text("flow: {pixels: 3000}")
    for root in ("here", "there"):
        write_images(tmp_path / root / "images" / "a", good_frames(8))
        write_images(tmp_path / root / "images" / "b", moving_square_frames(8))
    ray = ("--ray", "auto")
    for root, place, environment in (
        ("here", (), {}),
        ("there", ray, cluster.environment),
    ):
        folder = tmp_path / root
        flags = (
            *("--data_dir", folder / "images", "--config_file", config),
            *("--depths", "--tracks", "--dinos", "--motion_seg_infer", "--sam2"),
            *("--motin_seg_dir", folder / "moving", "--sam2dir", folder / "sam2"),
        )
        with running(*flags, *place, program=INFERENCE, **environment) as run:
            assert run.wait() == 0, run.told
    assert tree(tmp_path / "there") == tree(tmp_path / "here")
    assert len(list((tmp_path / "there/sam2/initial_preds/b").iterdir())) == 8
