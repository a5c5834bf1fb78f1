"""Features under points."""

from __future__ import annotations

import numpy as np

from moseg.core.point_features import PointFeatures, nearest_cells


def test_points_take_the_cell_they_lie_in_and_outside_the_nearest(tmp_path):
    values = np.arange(2 * 3, dtype=np.float16).reshape(2, 3, 1)
    xy = np.array([[0, 0], [9.9, 0], [10, 0], [29, 19], [-5, 3], [99, 99], [15, 10]], np.float32)
    found = nearest_cells(values, xy, height=20, width=30)
    assert found[:, 0].tolist() == [0, 0, 1, 5, 0, 5, 4]
    PointFeatures(found).save(tmp_path / "points.npz")
    assert np.array_equal(PointFeatures.load(tmp_path / "points.npz").values, found)
