"""From settings to a training: pictures of tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from moseg.pipeline.training import picture_of
from moseg.render.palette import MOVING_COLOUR, STATIC_COLOUR, UNSURE_COLOUR
from tests.motion.track_samples import track_sample


def three_tracks():
    """A sample with tracks at x 8, 24 and 40: moving, still, not judged."""
    sample = track_sample(tracks=3)
    xy = np.zeros_like(sample.xy)
    xy[:, :, 0] = np.array([8, 24, 40])[:, None]
    xy[:, :, 1] = 24
    label, judged = np.array([True, False, True]), np.array([True, True, False])
    return replace(sample, xy=xy, label=label, judged=judged)


def test_truth_is_at_the_left_and_what_was_found_at_the_right():
    picture = picture_of(three_tracks(), np.array([0.0, 1.0, 0.5], np.float32))
    width = (picture.shape[1] - 8) // 2
    assert picture.shape == (480, 2 * 640 + 8, 3)
    left = [picture[240, x] for x in (80, 240, 400)]
    right = [picture[240, width + 8 + x] for x in (80, 240, 400)]
    np.testing.assert_allclose(left, [MOVING_COLOUR, STATIC_COLOUR, UNSURE_COLOUR], atol=2)
    np.testing.assert_allclose(right, [STATIC_COLOUR, MOVING_COLOUR, UNSURE_COLOUR], atol=2)
