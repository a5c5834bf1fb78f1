"""A cluster that goes away under a run that reached it from outside."""

from __future__ import annotations

import pytest

from tests.cluster.runs import NOT_TAKEN, TRIES, running
from tests.cluster.two_nodes import two_nodes
from tests.pipeline.runs import start, tree

pytest.importorskip("ray")
pytestmark = pytest.mark.slow


def test_it_is_told_in_one_line_and_the_next_run_goes_on(tmp_path, clips, clips_run):
    out = tmp_path / "out"
    command = (clips, "--out", out, "--set", "flow.pixels=3000")
    with two_nodes(cpus=(2, 1)) as cluster:
        environment = {**cluster.environment, "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "2"}
        for _ in range(TRIES):
            with running(*command, "--ray", cluster.client, **environment) as run:
                run.wait_until(
                    lambda run=run: any(out.glob("cache/*/.flow.*")) or run.process.poll()
                )
                if run.process.poll() is None:
                    cluster.kill_node(0)
                    assert run.wait() == 2, run.told
                else:
                    run.wait()
            if NOT_TAKEN not in run.told:
                break
        else:
            pytest.skip("Ray's server for drivers from outside does not come up")
    errors = [line for line in run.told.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert errors[0].startswith("error: the Ray cluster is gone (")
    said, told = start("run", *command).communicate(timeout=100)
    assert "3 scenes done" in said, told
    assert tree(out) == tree(clips_run)
