"""Tracks by TAPIR, from frames and query points to the array."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from moseg.checkpoints.weights import Weights
from moseg.core.device import CPU, Device
from moseg.core.errors import BackendError, CacheError
from moseg.core.query_points import QueryPoints
from moseg.core.stage import Task
from moseg.core.track_array import TrackArray, parse_logits
from moseg.models.tapir.model import Tapir
from moseg.models.tapir.variant import load_tapir
from moseg.preproc.tracks.tapir import TapirParams, TapirTracks
from tests.models.tapir.networks import made_up, moving_clip
from tests.preproc.network_tasks import image_task

Float32 = NDArray[np.float32]

HEIGHT, WIDTH = 40, 60
LOW = Device("cpu", "bfloat16")


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path / "store"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("tapir") / "tapir.pt"
    torch.save(made_up(0), path)
    yield path
    path.unlink()


def clip(count: int) -> list[NDArray[np.uint8]]:
    return list(moving_clip(count, side=WIDTH)[:, :HEIGHT].numpy())


def scene_of(
    folder: Path,
    frames: int,
    starts: list[int],
    length: int,
    points: list[tuple[int, int, float, float]],
) -> Task:
    """Return a task on a clip of `frames`; points are (window, query frame, x, y)."""
    task = image_task(folder, clip(frames))
    table = np.array(points, np.float64).reshape(-1, 4)
    QueryPoints(
        starts=np.array(starts, np.int64),
        length=length,
        window=table[:, 0].astype(np.int64),
        frame=table[:, 1].astype(np.int64),
        xy=table[:, 2:].astype(np.float32),
        drawn=True,
    ).save(task.inputs["queries"])
    return task


def prepared(checkpoint: Path, device: Device = CPU, **settings: object) -> TapirTracks:
    backend = TapirTracks(TapirParams.model_validate({"checkpoint": str(checkpoint), **settings}))
    backend.prepare(device)
    return backend


def tracks_of(task: Task) -> Float32:
    with TrackArray(task.out) as array:
        return array.block(slice(0, len(array.points)))


def by_hand(frames: list[NDArray[np.uint8]], start: int, points: Float32) -> Float32:
    """Track (frame, x, y) through four frames from `start`, as a plain program would."""
    small = [Image.fromarray(f).resize((256, 256), Image.Resampling.LANCZOS) for f in frames]
    video = torch.from_numpy(np.stack([np.asarray(image) for image in small])) / 255 * 2 - 1
    scale = np.array([256 / WIDTH, 256 / HEIGHT])
    local, xy = points[:, 0].astype(int) - start, points[:, 1:]
    tyx = np.column_stack([local, ((xy + 0.5) * scale)[:, ::-1]]).astype(np.float32)
    network = load_tapir(made_up(0), "made up")
    with torch.inference_mode():
        features = network.encode(video[start : start + 4])
        known = torch.from_numpy(tyx)
        found = network.track(features, network.query(features, known), known)
    pixels = found.xy.numpy() / scale - 0.5
    pixels[np.arange(len(xy)), local] = xy
    logits = np.stack([found.occlusion.numpy(), found.distance.numpy()], -1)
    return np.concatenate([pixels, logits], -1).astype(np.float32)


def test_overlapping_windows_share_frames(tmp_path: Path, checkpoint: Path) -> None:
    points = [(0, 0, 3.0, 4.0), (0, 2, 30.0, 20.0), (0, 3, 9.0, 9.0), (1, 4, 10.0, 30.0)]
    points += [(3, 9, 55.0, 1.0)]
    task = scene_of(tmp_path, 12, [0, 2, 5, 8], 4, points)
    told: list[tuple[int, int]] = []
    backend = prepared(checkpoint, batch=2, chunk=3)
    encoded: list[int] = []
    backend.network.resnet_torch.register_forward_pre_hook(
        lambda _, inputs: encoded.append(len(inputs[0]))
    )
    report = backend.run(replace(task, progress=lambda *progress: told.append(progress)))
    assert report.summary == {"tracks": 5, "query_frames": 5, "windows": 4}
    assert told == [(4, 12), (7, 12), (9, 12), (12, 12)]
    # Frames 0 to 5 once, 8 to 11 once; 6 and 7 belong to a window without points.
    assert encoded == [3, 1, 2, 3, 1]
    found, table = tracks_of(task), np.array(points, np.float32)
    expected = [
        by_hand(clip(12), s, table[table[:, 0] == w, 1:]) for w, s in ((0, 0), (1, 2), (3, 8))
    ]
    assert np.allclose(found, np.concatenate(expected), rtol=0, atol=1e-3)
    assert len(np.unique(found[..., 0])) > 10


def test_points_are_exact_on_their_own_frame(tmp_path: Path, checkpoint: Path) -> None:
    points = [(0, 1, 0.0, 0.0), (0, 1, 59.0, 39.0), (0, 2, 12.25, 7.5)]
    tables = {}
    for name in ("half_pixel", "reference"):
        (tmp_path / name).mkdir()
        task = scene_of(tmp_path / name, 3, [0], 3, points)
        prepared(checkpoint, coordinates=name).run(task)
        found = tracks_of(task)
        for row, (_, frame, x, y) in enumerate(points):
            assert found[row, frame, :2].tolist() == [x, y]
        tables[name] = found
    away = np.ones((3, 3), bool)
    away[[0, 1, 2], [1, 1, 2]] = False
    assert (tables["half_pixel"][away, :2] != tables["reference"][away, :2]).any(1).all()


def test_equal_runs_leave_equal_bytes(tmp_path: Path, checkpoint: Path) -> None:
    left = []
    for name in "ab":
        (tmp_path / name).mkdir()
        task = scene_of(tmp_path / name, 2, [0], 2, [(0, 0, 5.0, 5.0), (0, 1, 40.0, 30.0)])
        prepared(checkpoint).run(task)
        left.append((task.out / "tracks.npy").read_bytes())
    assert left[0] == left[1]


def test_one_frame(tmp_path: Path, checkpoint: Path) -> None:
    task = scene_of(tmp_path, 1, [0], 1, [(0, 0, 5.0, 6.0)])
    prepared(checkpoint).run(task)
    assert tracks_of(task)[0, 0, :2].tolist() == [5, 6]


@pytest.mark.parametrize("starts", [[0], []])
def test_no_points_at_all(tmp_path: Path, checkpoint: Path, starts: list[int]) -> None:
    task = scene_of(tmp_path, 2, starts, 2, [])
    report = prepared(checkpoint).run(task)
    assert report.summary["tracks"] == 0
    assert tracks_of(task).shape == (0, 2, 4)


def test_points_that_are_never_visible(tmp_path: Path, checkpoint: Path) -> None:
    task = scene_of(tmp_path, 2, [0], 2, [(0, 0, 5.0, 6.0), (0, 1, 9.0, 9.0)])
    backend = prepared(checkpoint)
    backend.network.torch_cost_volume_track_mods.occ_out.bias[0].add_(200)
    backend.run(task)
    found = tracks_of(task)
    assert not parse_logits(found[..., 2], found[..., 3])[0].any()


def test_16_bits_move_tracks_little(tmp_path: Path, checkpoint: Path) -> None:
    found = []
    for grids, device in (("float32", CPU), ("float16", CPU), ("float16", LOW)):
        folder = tmp_path / f"{grids} {device.precision}"
        folder.mkdir()
        task = scene_of(folder, 2, [0], 2, [(0, 0, 5.0, 5.0), (0, 1, 40.0, 30.0)])
        prepared(checkpoint, device, grids=grids).run(task)
        found.append(tracks_of(task)[..., :2])
    errors = [np.abs(tracks - found[0]).mean() for tracks in found[1:]]
    assert 0 < errors[0] < 0.01
    assert errors[0] < errors[1] < 0.05


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite(tmp_path: Path, checkpoint: Path, value: float) -> None:
    task = scene_of(tmp_path, 2, [0], 2, [(0, 0, 5.0, 5.0)])
    backend = prepared(checkpoint)
    backend.network.torch_pips_mixer.linear_1.bias[0] = value
    with pytest.raises(BackendError, match="not finite; get the checkpoint again") as refused:
        backend.run(task)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("start", "length"), [(0, 4), (2, 2)])
def test_queries_of_another_scene(
    tmp_path: Path, checkpoint: Path, start: int, length: int
) -> None:
    task = scene_of(tmp_path, 3, [start], length, [(0, start, 5.0, 5.0)])
    with pytest.raises(CacheError, match="another scene"):
        prepared(checkpoint).run(task)


@pytest.mark.parametrize("resolution", [250, 32, 2000])
def test_resolutions_that_are_refused(resolution: int) -> None:
    with pytest.raises(ValidationError, match="resolution"):
        TapirParams(resolution=resolution)


def test_a_checkpoint_cut_in_half(tmp_path: Path, checkpoint: Path) -> None:
    half = tmp_path / "half.pt"
    half.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    with pytest.raises(BackendError, match=r"half\.pt .* cut off; get it again"):
        prepared(half)


def test_a_checkpoint_of_another_model(tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    torch.save({"encoder.weight": torch.zeros(3)}, other)
    with pytest.raises(BackendError, match="not a TAPIR checkpoint") as refused:
        prepared(other)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("told", ["true", "false"])
def test_online_weights_need_the_causal_network(told: str) -> None:
    weights = Weights(Path("x.pt"), "official", made_up(0), {"causal": told})
    right = TapirTracks(TapirParams(checkpoint="x.pt", causal=told == "true"))
    assert right.build(weights).causal == (told == "true")
    wrong = TapirTracks(TapirParams(checkpoint="x.pt", causal=told != "true"))
    with pytest.raises(BackendError, match=f"set causal: {told} for tracks"):
        wrong.build(weights)


def test_settings_reach_the_network() -> None:
    tensors: dict[str, Tensor] = made_up(0)
    backend = TapirTracks(TapirParams(temperature=10, causal=True))
    network = backend.build(Weights(Path("x.pt"), "official", tensors, {}))
    assert isinstance(network, Tapir)
    assert network.temperature == 10
    assert network.causal


def test_settings_need_no_torch() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from moseg.preproc.tracks.memory import window_length\n"
        "from moseg.preproc.tracks.tapir import TapirParams\n"
        "assert window_length(TapirParams(), 4) > 100"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in TapirParams.model_fields.values())
