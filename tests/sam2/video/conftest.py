"""A small network, and a predictor on a few frames."""

from __future__ import annotations

import pytest

from tests.sam2.video.passes import COUNT, FRAMES
from tests.sam2.video.small import predictor, small_sam2


@pytest.fixture(scope="session")
def network():
    return small_sam2()


@pytest.fixture
def video(network, tmp_path):
    with predictor(network, FRAMES, tmp_path, batch=8) as found:
        found.open_window(range(COUNT))
        yield found
