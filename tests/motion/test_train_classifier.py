"""The track classifier as a task for the trainer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import InputError
from moseg.models.track_classifier.options import Options
from moseg.motion.train_classifier import (
    ClassifierTask,
    Drawn,
    Judged,
    ranking_area,
    track_iou,
)
from moseg.training.config import OptimiserParams
from moseg.training.losses import balanced_cross_entropy
from moseg.training.module import make_optimiser
from tests.models.track_classifier.cases import VARIANTS
from tests.motion.track_samples import MadeUp


def task_of(**options):
    def draw(sample, probability):
        shown = np.zeros((1, len(probability), 3), np.uint8)
        shown[0, :, 0] = 255 * probability
        return shown

    return ClassifierTask(Options(**options), MadeUp(), Drawn(MadeUp(), 2), draw)


def train_steps(task, steps, rate):
    """Train on one sample; return the losses."""
    torch.manual_seed(0)
    network = task.make_network()
    optimiser = make_optimiser(OptimiserParams(learning_rate=rate), network)
    batch = task.batch(0, 0, range(1))
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = task.loss(network, batch).total
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("name", ["released", *VARIANTS])
def test_every_variant_learns(name):
    losses = train_steps(task_of(**VARIANTS.get(name, {})), 3, rate=2e-5)
    assert losses[-1] < losses[0]


def test_it_learns_which_tracks_move_by_their_motion_alone():
    task = task_of(depths=False, dino=False, extra_info=False, time_att=False)
    losses = train_steps(task, 20, rate=3e-4)
    assert losses[-1] < losses[0] / 4


def test_the_loss_is_the_mean_over_the_samples():
    task = task_of(dino=False)
    torch.manual_seed(0)
    network = task.make_network()
    slots = [range(2), range(1), range(1, 2)]
    with torch.no_grad():
        both, one, other = (
            float(task.loss(network, task.batch(0, 4, part)).total) for part in slots
        )
    assert both == pytest.approx((one + other) / 2, rel=1e-6)
    assert one != other


def test_labels_of_tracks_that_are_not_judged_change_nothing():
    class Flipped(MadeUp):
        def sample(self, seed, step, place):
            sample = super().sample(seed, step, place)
            return replace(sample, label=sample.label ^ ~sample.judged)

    plain = task_of()
    torch.manual_seed(0)
    network = plain.make_network()
    flipped = ClassifierTask(Options(), Flipped(), Drawn(Flipped(), 2), lambda s, p: p)
    with torch.no_grad():
        one, other = (task.loss(network, task.batch(0, 0, range(1))) for task in (plain, flipped))
    assert torch.equal(one.total, other.total)


def test_the_network_sees_positions_from_edge_to_edge_and_what_is_hidden():
    (item,) = task_of().batch(0, 0, range(1))
    sample = MadeUp().sample(0, 0, 0)
    height, width = sample.size
    expected = 2 * sample.xy / np.array([width, height]) - 1
    np.testing.assert_allclose(item["traj"].permute(1, 2, 0), expected, atol=1e-6)
    np.testing.assert_array_equal(item["mask"].numpy() == 0, sample.visible)
    assert item["dino"].dtype == torch.float32


@pytest.mark.parametrize(
    ("lacking", "option"),
    [("depth", "network.options.depths"), ("features", "network.options.dino")],
)
def test_samples_that_lack_what_the_options_need_end_in_one_line(lacking, option):
    class Lacking(MadeUp):
        def sample(self, seed, step, place):
            return replace(super().sample(seed, step, place), **{lacking: None})

    task = ClassifierTask(Options(), Lacking(), Drawn(Lacking(), 1), lambda s, p: p)
    with pytest.raises(InputError, match=f"the samples have no .*set {option}=false"):
        task.batch(0, 0, range(1))


def test_features_of_another_network_end_in_one_line():
    class Narrow(MadeUp):
        def sample(self, seed, step, place):
            sample = super().sample(seed, step, place)
            return replace(sample, features=sample.features[:, :384])

    task = ClassifierTask(Options(), Narrow(), Drawn(Narrow(), 1), lambda s, p: p)
    with pytest.raises(InputError, match="384 channels, the track classifier takes 768"):
        task.batch(0, 0, range(1))


def test_only_judged_tracks_are_measured():
    task = task_of()
    torch.manual_seed(0)
    network = task.make_network().eval()
    with torch.no_grad():
        result = task.judge(network, task.validation_batch(0))
    sample = Drawn(MadeUp(), 2)[0]
    np.testing.assert_array_equal(result.label, sample.label[sample.judged])
    logits = torch.logit(torch.from_numpy(result.probability))
    every = torch.ones(len(logits), dtype=torch.bool)
    loss = balanced_cross_entropy(logits, torch.from_numpy(result.label), every)
    assert result.loss == pytest.approx(float(loss), rel=1e-4)


def test_measures_of_two_samples():
    results = [
        Judged(np.array([0.9, 0.8, 0.2], np.float32), np.array([True, False, False]), 0.5),
        Judged(np.array([0.6, 0.1], np.float32), np.array([True, False]), 1.5),
    ]
    measures = task_of().measure(results)
    # 0.9 and 0.6 against 0.8, 0.2 and 0.1: five of six pairs are in order.
    assert measures == {"iou": 0.25, "auc": pytest.approx(5 / 6), "loss": 1.0}


def test_without_samples_there_is_no_measure():
    assert all(np.isnan(value) for value in task_of().measure([]).values())


def test_iou_where_nothing_moves_is_0_as_in_the_reference():
    nothing = np.zeros(3, bool)
    assert track_iou(nothing, nothing) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=9
    )
)
def test_the_area_is_the_share_of_pairs_in_order(entries):
    score = np.array([score for score, _ in entries], np.float32)
    positive = np.array([label for _, label in entries])
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0 for a in score[positive] for b in score[~positive]
    ]
    found = ranking_area(score, positive)
    assert found == pytest.approx(np.mean(pairs)) if pairs else np.isnan(found)


def test_pictures_show_the_first_held_out_samples():
    task = task_of()
    torch.manual_seed(0)
    network = task.make_network().eval()
    with torch.no_grad():
        pictures = task.pictures(network)
        (item,) = task.validation_batch(1)
        logits = network(**{k: v for k, v in item.items() if k not in ("label", "judged")})
    assert list(pictures) == ["00", "01"]
    expected = (255 * logits.sigmoid().numpy()).astype(np.uint8)
    np.testing.assert_array_equal(pictures["01"][0, :, 0], expected)


def test_the_weights_tell_their_options():
    told = task_of(depth_lookup="pixel").metadata()["options"]
    assert Options.from_json(told, "here") == Options(depth_lookup="pixel")
