"""What a person is told."""

from __future__ import annotations

from moseg.training.telling import Telling


def test_a_line_every_ten_seconds_says_how_far_and_how_fast():
    said, now = [], [100.0]
    telling = Telling(said.append, first=20, steps=400, clock=lambda: now[0])
    for step, seconds in ((30, 105), (40, 110), (60, 112), (80, 121)):
        now[0] = seconds
        telling.step(step, 0.5)
    assert said == [
        "step 40/400: loss 0.5; 2 steps/s; about 3 min left",
        "step 80/400: loss 0.5; 2.86 steps/s; about 2 min left",
    ]


def test_every_validation_is_told():
    said = []
    telling = Telling(said.append, 0, 400)
    telling.validation(100, {"iou": 0.5, "auc": 0.98765}, True)
    telling.validation(200, {"iou": 0.25}, False)
    assert said == ["step 100/400: iou 0.5, auc 0.9877 (best)", "step 200/400: iou 0.25"]
