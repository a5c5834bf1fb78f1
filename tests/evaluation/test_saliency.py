"""Saliency measures of one map: against slow formulas, and where truth or map is one-sided."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from moseg.evaluation.frame_pairs import Labels, Mask
from moseg.evaluation.saliency import MTNET, PYSODMETRICS, SaliencyVariant, score_map
from moseg.evaluation.weighted_f import weighted_f

VARIANTS = pytest.mark.parametrize("variant", [MTNET, PYSODMETRICS], ids=["mtnet", "pysodmetrics"])
SHAPES = st.tuples(st.integers(2, 9), st.integers(2, 9))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Labels, Mask]:
    shape = draw(SHAPES)
    codes = draw(arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 77, 128, 254, 255])))
    return codes, draw(arrays(np.bool_, shape))


def values_of(codes: Labels, variant: SaliencyVariant) -> NDArray[np.float64]:
    values = codes / 255
    if variant.stretch and values.max() > values.min():
        values = (values - values.min()) / (values.max() - values.min())
    return values


def slow_f(binary: Mask, truth: Mask) -> float:
    hits = np.count_nonzero(binary & truth)
    if hits == 0:
        return 0.0
    precision, recall = hits / np.count_nonzero(binary), hits / np.count_nonzero(truth)
    return 1.3 * precision * recall / (0.3 * precision + recall)


def slow_e(binary: Mask, truth: Mask) -> float:
    a, b = truth - truth.mean(), binary - binary.mean()
    aligned = 2 * a * b / (a * a + b * b + 1e-20)
    return float(((aligned + 1) ** 2 / 4).sum() / (truth.size - 1))


def slow_s(values: NDArray[np.float64], truth: Mask, past: int) -> float:
    share = truth.mean()

    def thing(inside: NDArray[np.float64]) -> float:
        mean = inside.mean()
        deviation = inside.std(ddof=1) if inside.size > 1 else 0.0
        return float(2 * mean / (mean * mean + 1 + deviation))

    objects = share * thing(values[truth]) + (1 - share) * thing(1 - values[~truth])
    row, column = np.argwhere(truth).mean(axis=0).round().astype(int) + past
    regions = 0.0
    for part in np.ndindex(2, 2):
        rows = slice(None, row) if part[0] == 0 else slice(row, None)
        columns = slice(None, column) if part[1] == 0 else slice(column, None)
        x, y = values[rows, columns], truth[rows, columns].astype(float)
        if x.size == 0:
            continue
        constant = np.ptp(x) == 0 or np.ptp(y) == 0
        pairs = max(x.size - 1, 1)
        together = 0.0 if constant else ((x - x.mean()) * (y - y.mean())).sum() / pairs
        spread = 0.0 if np.ptp(x) == 0 else ((x - x.mean()) ** 2).sum() / pairs
        spread += 0.0 if np.ptp(y) == 0 else ((y - y.mean()) ** 2).sum() / pairs
        above = 4 * x.mean() * y.mean() * together
        below = (x.mean() ** 2 + y.mean() ** 2) * spread
        alike = above / below if above != 0 else float(below == 0)
        regions += x.size / truth.size * alike
    return max(0.0, 0.5 * objects + 0.5 * regions)


@given(scenes())
def test_curves_of_codes_as_they_are(scene: tuple[Labels, Mask]) -> None:
    codes, truth = scene
    score = score_map(codes, truth, MTNET)
    for threshold in (0, 1, 2, 77, 78, 129, 254, 255):
        binary = codes >= threshold
        assert score.f_curve[threshold] == pytest.approx(slow_f(binary, truth), abs=1e-9)
        assert score.e_curve[threshold] == pytest.approx(slow_e(binary, truth), abs=1e-9)


def test_every_code_passes_its_own_threshold() -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)
    curve = score_map(codes, codes >= 0, MTNET).f_curve
    shares = np.arange(256, 0, -1) / 256  # of all pixels, all of which are true
    np.testing.assert_allclose(curve, 1.3 * shares / (0.3 + shares))


@given(scenes())
def test_curves_of_stretched_codes(scene: tuple[Labels, Mask]) -> None:
    codes, truth = scene
    score = score_map(codes, truth, PYSODMETRICS)
    steps = (values_of(codes, PYSODMETRICS) * 255).astype(np.uint8)
    for threshold in (0, 1, 76, 77, 128, 253, 254, 255):
        binary = steps >= threshold
        assert score.f_curve[threshold] == pytest.approx(slow_f(binary, truth), abs=1e-9)
        if 0 < np.count_nonzero(truth) < truth.size:
            assert score.e_curve[threshold] == pytest.approx(slow_e(binary, truth), abs=1e-9)


@VARIANTS
@given(scene=scenes())
def test_error_and_structure(scene: tuple[Labels, Mask], variant: SaliencyVariant) -> None:
    codes, truth = scene
    values = values_of(codes, variant)
    score = score_map(codes, truth, variant)
    assert score.error == pytest.approx(np.abs(values - truth).mean(), abs=1e-12)
    if not truth.any():
        expected = 1 - values.mean()
    elif truth.all():
        expected = values.mean()
    else:
        expected = slow_s(values, truth, variant.past_centroid)
    assert score.structure == pytest.approx(expected, abs=1e-9)


@VARIANTS
@given(scene=scenes())
def test_every_figure_is_a_share(scene: tuple[Labels, Mask], variant: SaliencyVariant) -> None:
    *figures, f_curve, e_curve = score_map(*scene, variant)
    pixels = scene[0].size
    for value in (*figures, *f_curve, *e_curve):
        # E is divided by one pixel less than there are.
        assert -1e-12 <= value <= pixels / (pixels - 1) + 1e-12


@VARIANTS
def test_adaptive_threshold_is_twice_the_mean(variant: SaliencyVariant) -> None:
    codes = np.zeros((10, 10), np.uint8)
    codes[0, :2], codes[1, :2], codes[2:5, :3] = 255, 100, 60  # mean is 12.5: all of these pass
    truth = codes == 255
    score = score_map(codes, truth, variant)
    assert score.adaptive_f == pytest.approx(slow_f(codes >= 60, truth))
    assert score.adaptive_e == pytest.approx(slow_e(codes >= 60, truth))
    codes[5:8] = 90  # mean is 39.5: the 60 do not pass any more
    score = score_map(codes, truth, variant)
    assert score.adaptive_f == pytest.approx(slow_f(codes >= 90, truth))


@VARIANTS
def test_adaptive_threshold_of_a_bright_map_is_its_greatest_value(variant: SaliencyVariant) -> None:
    codes = np.full((8, 8), 255, np.uint8)
    codes[0] = 0
    codes[1, :4] = 254
    truth = codes == 255
    assert score_map(codes, truth, variant).adaptive_f == pytest.approx(1)


def test_empty_truth() -> None:
    codes = np.zeros((6, 8), np.uint8)
    codes[:3, :4] = 255  # a quarter of the picture
    nothing = np.zeros(codes.shape, np.bool_)
    raw, stretched = (score_map(codes, nothing, variant) for variant in (MTNET, PYSODMETRICS))
    for score in (raw, stretched):
        assert score.structure == pytest.approx(0.75)
        assert score.adaptive_f == score.weighted_f == score.f_curve.max() == 0
    np.testing.assert_allclose(raw.e_curve, 0.25 * 48 / 47)
    assert stretched.e_curve[0] == 0  # at threshold 0 all is predicted
    np.testing.assert_allclose(stretched.e_curve[1:], 36 / 47)
    assert (raw.adaptive_e, stretched.adaptive_e) == pytest.approx((0.25 * 48 / 47, 36 / 47))


def test_full_truth() -> None:
    codes = np.zeros((6, 8), np.uint8)
    codes[:3, :6] = 255
    everything = np.ones(codes.shape, np.bool_)
    raw, stretched = (score_map(codes, everything, variant) for variant in (MTNET, PYSODMETRICS))
    for score in (raw, stretched):
        assert score.structure == pytest.approx(18 / 48)
    np.testing.assert_allclose(raw.e_curve, 0.25 * 48 / 47)
    np.testing.assert_allclose(stretched.e_curve[1:], 18 / 47)


def test_a_nearly_empty_truth_is_empty_to_mtnet_alone() -> None:
    codes = np.full((150, 150), 51, np.uint8)
    codes[0, 0] = 255
    truth = np.zeros(codes.shape, np.bool_)
    truth[100, 100:102] = True  # less than 1e-4 of 22 500 pixels
    assert score_map(codes, truth, MTNET).structure == pytest.approx(1 - codes.mean() / 255)
    stretched = score_map(codes, truth, PYSODMETRICS)
    expected = slow_s(values_of(codes, PYSODMETRICS), truth, past=1)
    assert stretched.structure == pytest.approx(expected, abs=1e-9)
    truth[100, 100:103] = True  # more than that
    assert score_map(codes, truth, MTNET).structure == pytest.approx(
        slow_s(codes / 255, truth, past=0), abs=1e-9
    )


def test_stretching_makes_maps_equal_that_differ_in_contrast() -> None:
    rng = np.random.default_rng(0)
    faint = rng.integers(0, 52, (20, 30)).astype(np.uint8)
    faint[0, :2] = 0, 51
    bright = faint * 5
    truth = rng.random(faint.shape) > 0.7
    one, other = (score_map(codes, truth, PYSODMETRICS) for codes in (faint, bright))
    for left, right in zip(one[:5], other[:5], strict=True):
        assert left == pytest.approx(right, abs=1e-12)
    assert score_map(faint, truth, MTNET).error != pytest.approx(one.error, abs=1e-3)


@pytest.mark.parametrize("code", [0, 77, 179, 255])
@VARIANTS
def test_a_constant_map_is_not_stretched_and_gives_no_noise(
    variant: SaliencyVariant, code: int
) -> None:
    truth = np.zeros((13, 17), np.bool_)
    truth[3:9, 2:11] = True
    score = score_map(np.full(truth.shape, code, np.uint8), truth, variant)
    share, value = truth.mean(), code / 255
    assert score.error == pytest.approx(share * (1 - value) + (1 - share) * value)
    assert score.structure == pytest.approx(
        slow_s(np.full(truth.shape, value), truth, variant.past_centroid)
    )


@VARIANTS
def test_a_perfect_map(variant: SaliencyVariant) -> None:
    truth = np.zeros((30, 40), np.bool_)
    truth[8:20, 10:25] = True
    score = score_map(truth.astype(np.uint8) * 255, truth, variant)
    assert score.error == 0
    assert (score.structure, score.adaptive_f, score.weighted_f) == pytest.approx((1, 1, 1))
    np.testing.assert_allclose(score.f_curve[1:], 1)
    np.testing.assert_allclose(score.e_curve[1:], 1200 / 1199)


def test_weighted_f_forgives_what_lies_beside_the_truth() -> None:
    truth = np.zeros((60, 60), np.bool_)
    truth[20:40, 20:40] = True

    def with_alarm(column: int) -> float:
        values = truth.astype(float)
        values[25:35, column : column + 3] = 1
        return weighted_f(values, truth)

    near, further, far = with_alarm(40), with_alarm(46), with_alarm(55)
    assert 1 > near > further > far > 0.8


def test_weighted_f_of_an_even_error_is_the_plain_one() -> None:
    truth = np.zeros((40, 40), np.bool_)
    truth[10:20, 12:30] = True
    # Precision 1, recall a half: pixels outside have no say in the error of those at the edge.
    assert weighted_f(truth * 0.5, truth) == pytest.approx(2 / 3)


def test_weighted_f_of_a_hole_depends_on_what_is_around_it() -> None:
    truth = np.ones((40, 40), np.bool_)
    truth[:5] = False
    speckled, holed = truth.astype(float), truth.astype(float)
    speckled[10:38:4, 10:38:4] = 0  # 49 pixels spread out
    holed[20:27, 20:27] = 0  # 49 pixels in one place
    assert weighted_f(speckled, truth) > weighted_f(holed, truth) + 0.005


@VARIANTS
def test_one_pixel_is_a_picture(variant: SaliencyVariant) -> None:
    score = score_map(np.full((1, 1), 255, np.uint8), np.ones((1, 1), np.bool_), variant)
    assert (score.error, score.structure, score.weighted_f) == pytest.approx((0, 1, 1))
    assert np.isfinite(score.e_curve).all()


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(4, 5\) cannot be scored against \(5, 4\)"):
        score_map(np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.bool_), MTNET)
