"""The SLURM scripts, run with stand-ins for srun, Ray and moseg that record their arguments."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SLURM = Path(__file__).parents[2] / "scripts/slurm"
JOB, ARRAY = SLURM / "ray_job.sbatch", SLURM / "array_job.sbatch"

STAND_INS = {
    "srun": """
        record srun "$@"
        while [[ "$1" == --* ]]; do shift; done
        SLURMD_NODENAME=n2 "$@" > "$RECORDS/other-node" 2>&1 &
        "$@"
        wait
    """,
    # Says that all is well when it could not start, and is slow to end on other nodes.
    "ray": """
        if [[ "$SLURMD_NODENAME" != n1 ]]; then
            sleep "$OTHER_NODES_WAIT"
            record other-node-ended
            exit 0
        fi
        record ray "$@"
        env | grep -E '^(RAY_|OMP_)' > "$RECORDS/environment"
        [[ "$RAY_STARTS" == yes ]] || exit 0
        while [[ "$1" != -- ]]; do shift; done
        shift
        "$@"
    """,
    "moseg": """
        record moseg "$@"
        sleep "$MOSEG_TAKES"
        exit "$MOSEG_ENDS"
    """,
    "getent": """
        [[ -n "$ADDRESS" ]] || exit 2
        echo "$ADDRESS STREAM $2"
        echo "$ADDRESS DGRAM $2"
    """,
}


class Node:
    """A made-up node: a PATH with the stand-ins, and what a job finds in its environment."""

    def __init__(self, folder: Path) -> None:
        self.records, self.programs = folder / "records", folder / "pro grams"
        self.records.mkdir()
        self.programs.mkdir()
        for name in STAND_INS:
            self.install(self.programs, name)
        self.temporary = folder / "tm p"
        self.temporary.mkdir()
        self.environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "TMPDIR": str(self.temporary),
            "RECORDS": str(self.records),
            "MOSEG_ENDS": "0",
            "MOSEG_TAKES": "0",
            "RAY_STARTS": "yes",
            "OTHER_NODES_WAIT": "0",
            "ADDRESS": "10.0.0.7",
        }

    def install(self, folder: Path, name: str) -> None:
        record = 'record() { printf "%s\\0" "${@:2}" > "$RECORDS/$1"; }'
        (folder / name).write_text(f"#!/usr/bin/env bash\n{record}\n{STAND_INS[name]}")
        (folder / name).chmod(0o755)

    def run(self, script: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Run a script until it ends; what it leaves running may go on, as SLURM would end it."""
        told = [self.records / name for name in ("output", "errors")]
        with told[0].open("w") as output, told[1].open("w") as errors:
            done = subprocess.run(
                ["bash", str(script), *arguments],
                env={**self.environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
        texts = [path.read_text() for path in told]
        return subprocess.CompletedProcess(done.args, done.returncode, *texts)

    def recorded(self, program: str) -> list[str]:
        return (self.records / program).read_text().split("\0")[:-1]

    def ray_environment(self) -> dict[str, str]:
        lines = (self.records / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


IN_JOB = {"SLURM_JOB_ID": "7", "SLURMD_NODENAME": "n1", "SLURM_JOB_NUM_NODES": "3"}


def in_array(index: int, count: int, first: int = 0, last: int | None = None) -> dict[str, str]:
    return {
        "SLURM_ARRAY_TASK_ID": str(index),
        "SLURM_ARRAY_TASK_COUNT": str(count),
        "SLURM_ARRAY_TASK_MAX": str(first + count - 1 if last is None else last),
    }


def error_of(done: subprocess.CompletedProcess) -> str:
    """Return the one line with which a script refused."""
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("script", [JOB, ARRAY], ids=lambda script: script.name)
def test_the_syntax_is_right_and_sbatch_finds_its_options(script):
    subprocess.run(["bash", "-n", str(script)], check=True)
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    options = [i for i, line in enumerate(lines) if line.startswith("#SBATCH")]
    commands = [i for i, line in enumerate(lines) if line and not line.startswith("#")]
    assert options
    assert max(options) < min(commands), "sbatch stops reading at the first command"
    assert "#SBATCH --requeue" in lines
    assert lines[commands[0]] == "set -euo pipefail"


def test_one_cluster_over_all_nodes_runs_the_command(node):
    done = node.run(JOB, "moseg", "run", "/in/a b's.mp4", "--out", "/o $x", **IN_JOB)
    assert done.returncode == 0, done.stderr
    srun = node.recorded("srun")
    options = srun[: srun.index("bash")]
    assert {"--ntasks=3", "--ntasks-per-node=1", "--no-kill"} <= {*options}
    ray = node.recorded("ray")
    assert ray[:5] == ["symmetric-run", "--address", "10.0.0.7:6379", "--min-nodes", "3"]
    asked = ["run", "/in/a b's.mp4", "--out", "/o $x", "--ray", "auto"]
    assert ray[-7:] == ["moseg", *asked]
    assert node.recorded("moseg") == asked


def test_options_of_the_cluster_stand_before_inputs_that_begin_with_a_dash(node):
    done = node.run(JOB, "moseg", "run", "--out", "o", "--", "-a.mp4", "--", **IN_JOB)
    assert done.returncode == 0, done.stderr
    assert node.recorded("moseg") == ["run", "--out", "o", "--ray", "auto", "--", "-a.mp4", "--"]


def test_the_job_ends_as_the_command_does_though_other_nodes_wait(node):
    done = node.run(JOB, "moseg", "run", **IN_JOB, MOSEG_ENDS="2", OTHER_NODES_WAIT="5")
    assert (done.returncode, done.stderr) == (2, "")
    assert not (node.records / "other-node-ended").exists()
    assert node.run(JOB, "moseg", "run", **IN_JOB, MOSEG_ENDS="1").returncode == 1
    assert [*node.temporary.iterdir()] == []


def test_the_job_waits_for_the_command_though_another_node_ended(node):
    done = node.run(JOB, "moseg", "run", **IN_JOB, MOSEG_ENDS="1", MOSEG_TAKES="2")
    assert (done.returncode, done.stderr) == (1, "")
    assert (node.records / "other-node-ended").exists()


def test_a_cluster_that_does_not_start_is_no_success(node):
    done = node.run(JOB, "moseg", "run", **IN_JOB, RAY_STARTS="no")
    assert "the Ray cluster did not start" in error_of(done)
    assert not (node.records / "moseg").exists()


def test_each_job_has_a_token_of_its_own_that_is_not_printed(node):
    tokens = []
    for _ in range(2):
        done = node.run(JOB, "moseg", "run", **IN_JOB)
        found = node.ray_environment()
        assert found["RAY_AUTH_MODE"] == "token"
        assert len(found["RAY_AUTH_TOKEN"]) == 64
        told = [*node.recorded("srun"), *node.recorded("ray"), done.stdout, done.stderr]
        assert not any(found["RAY_AUTH_TOKEN"] in text for text in told)
        tokens.append(found["RAY_AUTH_TOKEN"])
    assert tokens[0] != tokens[1]


def test_a_token_of_the_user_is_left_alone(node):
    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": "/home/token"}
    node.run(JOB, "moseg", "run", **IN_JOB, **own)
    assert own.items() <= node.ray_environment().items()
    assert "RAY_AUTH_TOKEN" not in node.ray_environment()


def test_address_port_and_patience_can_be_given(node):
    given = {"MOSEG_HEAD_IP": "10.1.1.1", "MOSEG_RAY_PORT": "7000", "MOSEG_RAY_WAIT": "9"}
    assert node.run(JOB, "moseg", "run", **IN_JOB, **given).returncode == 0
    assert node.recorded("ray")[2] == "10.1.1.1:7000"
    found = node.ray_environment()
    assert found["RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT"] == "9"
    assert found["RAY_USAGE_STATS_ENABLED"] == "0"


@pytest.mark.parametrize("address", ["127.0.1.1", "127.0.0.1", ""])
def test_an_address_that_others_cannot_reach_is_refused(node, address):
    line = error_of(node.run(JOB, "moseg", "run", **IN_JOB, ADDRESS=address))
    assert "n1 has the address" in line
    assert "set MOSEG_HEAD_IP" in line


@pytest.mark.parametrize("missing", [*IN_JOB])
def test_a_job_script_outside_a_job_says_how_it_is_started(node, missing):
    surroundings = {key: value for key, value in IN_JOB.items() if key != missing}
    assert "start it with: sbatch" in error_of(node.run(JOB, "moseg", "run", **surroundings))


@pytest.mark.parametrize("index", [0, 2, 7])
def test_each_task_works_on_its_shard(node, index):
    done = node.run(ARRAY, "moseg", "run", "/in/a b's.mp4", "--out", "/o $x", **in_array(index, 8))
    assert done.returncode == 0, done.stderr
    asked = ["run", "/in/a b's.mp4", "--out", "/o $x", "--shard", f"{index + 1}/8"]
    assert node.recorded("moseg") == asked


def test_the_shard_stands_before_inputs_that_begin_with_a_dash(node):
    node.run(ARRAY, "moseg", "run", "--out", "o", "--", "-a.mp4", **in_array(0, 2))
    assert node.recorded("moseg") == ["run", "--out", "o", "--shard", "1/2", "--", "-a.mp4"]


def test_a_task_ends_as_its_command_does(node):
    assert node.run(ARRAY, "moseg", "run", **in_array(0, 2), MOSEG_ENDS="2").returncode == 2


@pytest.mark.parametrize(
    "array", [in_array(1, 8, first=1), in_array(5, 1, first=5), in_array(2, 3, last=4)]
)
def test_arrays_that_leave_shards_out_are_refused(node, array):
    line = error_of(node.run(ARRAY, "moseg", "run", **array))
    assert "does not count 0, 1, 2" in line
    assert "MOSEG_SHARDS=8" in line


def test_some_shards_can_be_run_again(node):
    node.run(ARRAY, "moseg", "run", **in_array(5, 1, first=5), MOSEG_SHARDS="8")
    assert node.recorded("moseg") == ["run", "--shard", "6/8"]


@pytest.mark.parametrize("missing", [*in_array(0, 8)])
def test_an_array_script_outside_an_array_says_how_it_is_started(node, missing):
    array = {key: value for key, value in in_array(0, 8).items() if key != missing}
    assert "start it with: sbatch --array" in error_of(node.run(ARRAY, "moseg", "run", **array))


@pytest.mark.parametrize(
    ("script", "surroundings"), [(JOB, IN_JOB), (ARRAY, in_array(0, 8))], ids=["job", "array"]
)
class TestBoth:
    def test_no_command(self, node, script, surroundings):
        assert "no command given" in error_of(node.run(script, **surroundings))

    def test_a_command_that_is_not_there(self, node, script, surroundings):
        assert "no 'nothing' on this node" in error_of(node.run(script, "nothing", **surroundings))

    def test_an_environment_that_is_not_there(self, node, script, surroundings):
        done = node.run(script, "moseg", "run", **surroundings, MOSEG_VENV="/no where")
        assert "MOSEG_VENV=/no where is no virtual environment" in error_of(done)

    def test_an_environment_at_a_path_with_spaces(self, node, script, surroundings, tmp_path):
        binaries = tmp_path / "my venv/bin"
        binaries.mkdir(parents=True)
        (node.programs / "moseg").rename(binaries / "moseg")
        (binaries / "activate").write_text(f'PATH="{binaries}:$PATH"\n')
        venv = str(binaries.parent)
        assert node.run(script, "moseg", "run", **surroundings).returncode == 2
        done = node.run(script, "moseg", "run", **surroundings, MOSEG_VENV=venv)
        assert done.returncode == 0, done.stderr
        assert node.recorded("moseg")[0] == "run"
