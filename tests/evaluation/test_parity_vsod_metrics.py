"""Reference outputs `vsod_metrics`: saliency measures of two programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moseg.evaluation.saliency import MTNET, PYSODMETRICS, MapScore, score_map
from tests import parity

pytestmark = pytest.mark.parity

CASES = parity.cases("vsod_metrics")


@pytest.mark.parametrize("path", CASES)
def test_maps_as_they_are(path: Path) -> None:
    with np.load(path) as stored:
        known = dict(stored)
    exact = known["out_raw_threshold_exact"]
    for index, (codes, truth) in enumerate(zip(known["in_pred"], known["in_gt"], strict=True)):
        score = score_map(codes, truth > 0, MTNET)
        assert score.error == pytest.approx(known["out_raw_MAE"][index], abs=1e-6)
        assert score.structure == pytest.approx(known["out_raw_S"][index], abs=1e-6)
        for curve, name in ((score.f_curve, "F"), (score.e_curve, "E")):
            expected = known[f"out_raw_{name}_curve"][index]
            np.testing.assert_allclose(curve[exact], expected[exact], rtol=0, atol=1e-6)


@pytest.mark.parametrize("path", CASES)
def test_stretched_maps(path: Path) -> None:
    with np.load(path) as stored:
        known = dict(stored)
    named = {
        "MAE": "error",
        "S": "structure",
        "adpF": "adaptive_f",
        "adpE": "adaptive_e",
        "wF": "weighted_f",
    }
    assert {f"out_std_{name}" for name in (*named, "Fcurve", "Ecurve")} == {
        name for name in known if name.startswith("out_std_")
    }
    for index, (codes, truth) in enumerate(zip(known["in_pred"], known["in_gt"], strict=True)):
        score: MapScore = score_map(codes, truth > PYSODMETRICS.truth_above, PYSODMETRICS)
        for name, field in named.items():
            expected = known[f"out_std_{name}"][index]
            assert getattr(score, field) == pytest.approx(expected, abs=1e-9), name
        for curve, name in ((score.f_curve, "Fcurve"), (score.e_curve, "Ecurve")):
            expected = known[f"out_std_{name}"][index][::-1]  # from 255 down in the file
            np.testing.assert_allclose(curve, expected, rtol=0, atol=1e-9)
