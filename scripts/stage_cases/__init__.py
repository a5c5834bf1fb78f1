"""What `benchmark_stages.py` times: our way of calling each network, and the reference's.

Each case runs in a process of its own, so that its peak memory is its own. Weights are random
(seed 0) and the same in all cases: quality is meaningless, time, memory and differences are not.
"""

from __future__ import annotations

from collections.abc import Callable

from stage_cases import images, labels, tracks
from stage_cases.common import Measured, Setting

CASES: dict[str, Callable[[Setting], Measured]] = {
    "tracks-ours": tracks.tracks_ours,
    "tracks-reference": tracks.tracks_reference,
    "depths-ours": images.depths_ours,
    "depths-single": images.depths_single,
    "depths-naive": images.depths_naive,
    "features-ours": images.features_ours,
    "features-single": images.features_single,
    "features-naive": images.features_naive,
    "labels-ours": labels.labels_ours,
}
