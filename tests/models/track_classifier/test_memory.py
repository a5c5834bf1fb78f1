"""Memory at the size the classifier is made for, measured in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from moseg.models.track_classifier.options import Options

MEASURE = """
import resource, torch
from moseg.models.track_classifier.options import Options
from tests.models.track_classifier.cases import random_classifier, random_inputs
torch.set_num_threads(1)
network = random_classifier({options})
inputs = random_inputs({tracks}, {frames}, hidden=0)
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
with torch.inference_mode():
    network(**random_inputs(50, 3))
    before = peak()
    network(**inputs)
print(peak() - before)
"""


def growth(options: Options, tracks: int, frames: int) -> float:
    """Return by how many MB the peak grows while tracks are classified."""
    script = MEASURE.format(options=options, tracks=tracks, frames=frames)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


@pytest.mark.slow
def test_scores_of_tracks_are_never_held() -> None:
    # One frame's scores, 4 x 3000 x 3000 float32, are 144 MB; the decoder's twice as much.
    assert growth(Options(), tracks=3000, frames=1) < 100


@pytest.mark.slow
def test_long_windows_need_few_copies_of_the_features() -> None:
    # What costs time and no memory is left out: attention over tracks, the transformer decoder.
    # One copy of the 16 channels of 5000 x 100 is 32 MB, 88 features would be 176 MB; memory
    # grows with the number of frames and no faster.
    quick = Options(time_att=False, oanet=True, dino=False)
    assert growth(quick, tracks=5000, frames=100) < 300
