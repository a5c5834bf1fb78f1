"""DIS flow on frames whose displacement is known."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.core.parallel import single_threaded_libraries
from moseg.preproc.flow import dis
from moseg.preproc.flow.dis import dis_flow, flow_pair

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
EDGE = 12


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with single_threaded_libraries():
        yield


def texture(height: int, width: int, seed: int = 0) -> Float32:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return np.asarray(128 + 40 * smooth / max(float(smooth.std()), 1e-6), np.float32)


def shifted_pair(x: float, y: float) -> tuple[UInt8, UInt8]:
    """Two views of one texture; what is at p in the first is at p + (x, y) in the second."""
    whole = texture(100, 140)
    views = []
    for dx, dy in ((0.0, 0.0), (x, y)):
        matrix = np.array([[1, 0, dx - 20], [0, 1, dy - 20]], np.float64)
        view = cv2.warpAffine(whole, matrix, (96, 60), flags=cv2.INTER_CUBIC)
        views.append(np.clip(np.round(view), 0, 255).astype(np.uint8))
    return views[0], views[1]


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-7, 5), (0.5, 0.25), (2.6, -1.3)])
def test_a_known_shift_is_recovered(shift: tuple[float, float]) -> None:
    forward, backward = flow_pair(*shifted_pair(*shift))
    assert forward.shape == backward.shape == (60, 96, 2)
    assert forward.dtype == backward.dtype == np.float32
    for flow, true in ((forward, np.array(shift)), (backward, -np.array(shift))):
        error = np.linalg.norm(flow - true, axis=-1)[EDGE:-EDGE, EDGE:-EDGE]
        assert np.median(error) < 0.2


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 50), (31, 200), (200, 5)])
def test_tiny_frames_have_flow(size: tuple[int, int]) -> None:
    first, second = (texture(*size, seed).clip(0, 255).astype(np.uint8) for seed in (1, 2))
    flow = dis_flow(first, second)
    assert flow.shape == (*size, 2)
    assert np.isfinite(flow).all()


@pytest.mark.parametrize("size", [(8, 8), (40, 56)])
def test_a_frame_does_not_move_against_itself(size: tuple[int, int]) -> None:
    frame = texture(*size).clip(0, 255).astype(np.uint8)
    assert np.abs(dis_flow(frame, frame)).max() < 0.05


def test_a_small_frame_is_not_only_padding() -> None:
    whole = texture(20, 40).clip(0, 255).astype(np.uint8)
    flow = dis_flow(whole[:, 2:26].copy(), whole[:, :24].copy())
    assert np.median(np.linalg.norm(flow - (2, 0), axis=-1)[4:-4, 6:-6]) < 0.2


class _Wild:
    """A solver that answers what no frame can show."""

    def setFinestScale(self, *_: object) -> None:
        pass

    def calc(self, first: UInt8, *_: object) -> Float32:
        flow = np.zeros((*first.shape, 2), np.float32)
        flow[0, :4, 0] = np.nan, np.inf, -np.inf, 1e30
        return flow


def test_any_flow_is_safe_as_float16(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wild:
        create = staticmethod(lambda preset: _Wild())

    monkeypatch.setattr(dis.cv2, "DISOpticalFlow", Wild)
    frame = np.zeros((40, 40), np.uint8)
    flow = dis_flow(frame, frame).astype(np.float16)
    limit = dis.LARGEST_FLOW
    assert flow[0, :5, 0].tolist() == [0, limit, -limit, limit, 0]
