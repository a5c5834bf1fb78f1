"""GPUs that Ray believes in: workers see one card each, and no card holds more than it has."""

from __future__ import annotations

import sys

import pytest

from tests.cluster.on_cards import answers
from tests.cluster.runs import running
from tests.cluster.two_nodes import two_nodes

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

SCENES = 4
PROGRAM = f"""
import sys
from pathlib import Path
from tests.cluster.on_cards import run
run(Path(sys.argv[1]), "auto", {SCENES})
"""


def test_models_are_spread_over_cards_as_they_fit(tmp_path):
    nodes = two_nodes(cpus=(9, 1), gpus=(2, 0), labels=("moseg.gpu-gb=24", ""))
    program = (sys.executable, "-c", PROGRAM)
    with nodes as cluster, running(tmp_path, program=program, **cluster.environment) as run:
        assert run.wait() == 0, run.told
    found = answers(tmp_path)
    assert len(found) == SCENES * 3
    assert {device for device, _, _ in found.values()} == {"cuda:0"}
    # There are two cards, and the large one has room only once smaller ones are gone.
    assert {card.split(".")[1] for _, card, _ in found.values()} == {"0", "1"}
    assert max(held for _, _, held in found.values()) <= 24
