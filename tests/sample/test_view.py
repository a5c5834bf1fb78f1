"""Homographies of the made-up camera against plain projection of points in space."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.sample.view import EYE_HEIGHT, Matrix, Pose, View

VIEW = View(480, 854)
poses = st.builds(
    Pose,
    x=st.floats(-2, 2),
    y=st.floats(-0.1, 0.1),
    z=st.floats(0, 0.6),
    shift_x=st.floats(-80, 80),
    shift_y=st.floats(-20, 20),
    roll=st.floats(-0.05, 0.05),
)


def projected(pose: Pose, x: float, y: float, z: float) -> tuple[float, float]:
    """Where a point in space (metres) is seen: pinhole, shift, then roll about the middle."""
    u = VIEW.focal * (x - pose.x) / (z - pose.z) + pose.shift_x
    v = VIEW.focal * (y - pose.y) / (z - pose.z) + pose.shift_y
    left, top = VIEW.ahead
    down = v + top - (VIEW.height - 1) / 2
    cos, sin = math.cos(pose.roll), math.sin(pose.roll)
    return left + cos * u - sin * down, (VIEW.height - 1) / 2 + sin * u + cos * down


def applied(matrix: Matrix, x: float, y: float, z: float) -> tuple[float, float]:
    """Where the nominal picture of the same point lands."""
    column = matrix @ (VIEW.focal * x / z, VIEW.focal * y / z, 1)
    return column[0] / column[2], column[1] / column[2]


@given(poses, st.floats(-5, 5), st.floats(-3, 1.6), st.floats(4, 2000))
def test_upright_plane(pose: Pose, x: float, y: float, z: float) -> None:
    assert applied(pose.upright(VIEW, z), x, y, z) == pytest.approx(
        projected(pose, x, y, z), abs=1e-6
    )


@given(poses, st.floats(-5, 5), st.floats(4, 2000))
def test_ground(pose: Pose, x: float, z: float) -> None:
    assert applied(pose.ground(VIEW), x, EYE_HEIGHT, z) == pytest.approx(
        projected(pose, x, EYE_HEIGHT, z), abs=1e-6
    )


def test_the_camera_at_rest_sees_the_nominal_view() -> None:
    left, top = VIEW.ahead
    for matrix in (Pose().upright(VIEW, 7.0), Pose().ground(VIEW)):
        assert np.allclose(matrix / matrix[2, 2], [[1, 0, left], [0, 1, top], [0, 0, 1]])
