"""A cluster that goes away under a run that reached it from outside."""

from __future__ import annotations

import pytest

from tests.cluster.runs import running
from tests.cluster.two_nodes import two_nodes
from tests.pipeline.runs import start, tree

pytest.importorskip("ray")
pytestmark = pytest.mark.slow


def test_it_is_told_in_one_line_and_the_next_run_goes_on(tmp_path, clips, clips_run):
    out = tmp_path / "out"
    command = (clips, "--out", out, "--set", "flow.pixels=3000")
    with two_nodes(cpus=(2, 1)) as cluster:
        environment = {**cluster.environment, "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "2"}
        with running(*command, "--ray", cluster.client, **environment) as run:
            run.wait_until(lambda: any(out.glob("cache/*/.flow.*")))
            cluster.kill_node(0)
            assert run.wait() == 2, run.told
    errors = [line for line in run.told.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert errors[0].startswith("error: the Ray cluster is gone (")
    said, told = start("run", *command).communicate(timeout=100)
    assert "3 scenes done" in said, told
    assert tree(out) == tree(clips_run)
