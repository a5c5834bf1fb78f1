"""The manifests of clusters, checked with what the installed Ray itself reads them with."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ray = pytest.importorskip("ray")
jsonschema = pytest.importorskip("jsonschema")

SCRIPTS = Path(__file__).parents[2] / "scripts"


class TestLauncher:
    """`ray_cluster.yaml`."""

    @pytest.fixture
    def config(self):
        return yaml.safe_load((SCRIPTS / "ray_cluster.yaml").read_text())

    def test_it_has_the_published_schema(self, config):
        schema = json.loads(Path(ray.__file__).with_name("autoscaler").joinpath(
            "ray-schema.json").read_text())  # fmt: skip
        jsonschema.Draft7Validator(schema).validate(config)

    def test_ray_takes_it(self, config):
        from ray.autoscaler._private.util import prepare_config, validate_config

        prepared = prepare_config(config)
        validate_config(prepared)
        (node,) = prepared["available_node_types"].values()
        assert node["max_workers"] == len(config["provider"]["worker_ips"]) == 2

    def test_all_machines_get_the_token_and_use_it(self, config):
        assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
        for kind in ("head", "worker"):
            *_, start = config[f"{kind}_start_ray_commands"]
            assert "RAY_AUTH_MODE=token" in shlex.split(start)

    def test_moseg_is_installed_with_ray(self, config):
        assert any("'moseg[ray,models]'" in command for command in config["setup_commands"])

    def test_commands_are_right_for_a_shell(self, config):
        for key, commands in config.items():
            if key.endswith("_commands"):
                for command in commands:
                    subprocess.run(["bash", "-n", "-c", command], check=True)

    def test_options_of_ray_start_exist(self, config):
        from ray.scripts.scripts import start

        known = {name for option in start.params for name in option.opts}
        for kind in ("head", "worker"):
            words = shlex.split(config[f"{kind}_start_ray_commands"][-1])
            used = {word.split("=")[0] for word in words if word.startswith("--")}
            assert used <= known


class TestRayJob:
    """`kuberay/rayjob.yaml`. No package carries its schema: Ray's own reader, and its parts."""

    @pytest.fixture
    def job(self):
        return yaml.safe_load((SCRIPTS / "kuberay/rayjob.yaml").read_text())

    @pytest.fixture
    def cluster(self, job):
        return job["spec"]["rayClusterSpec"]

    @pytest.fixture
    def groups(self, cluster):
        return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]

    def test_it_is_a_job_that_takes_its_cluster_away(self, job):
        assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
        assert job["metadata"].keys() == {"generateName", "namespace"}
        assert job["spec"].keys() == {
            *("entrypoint", "backoffLimit", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished"),
            "rayClusterSpec",
        }
        assert job["spec"]["shutdownAfterJobFinishes"] is True

    def test_ray_reads_its_groups_for_autoscaling(self, job, cluster):
        from ray.autoscaler._private.kuberay.autoscaling_config import (
            _derive_autoscaling_config_from_ray_cr,
        )

        metadata = {"name": "moseg", "namespace": job["metadata"]["namespace"]}
        config = _derive_autoscaling_config_from_ray_cr({"metadata": metadata, "spec": cluster})
        kinds = config["available_node_types"]
        found = {
            name: [kind["min_workers"], kind["max_workers"], kind["resources"].get("GPU", 0)]
            for name, kind in kinds.items()
        }
        assert found == {"headgroup": [0, 0, 0], "cpu": [0, 8, 0], "gpu": [0, 8, 1]}
        assert kinds["headgroup"]["resources"]["CPU"] == 0, "no stage runs on the head"
        assert kinds["gpu"]["resources"]["memory"] == 64 * 2**30
        assert config["idle_timeout_minutes"] == 5

    def test_replicas_are_within_their_limits(self, cluster):
        assert cluster["enableInTreeAutoscaling"] is True
        for group in cluster["workerGroupSpecs"]:
            assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]

    def test_the_entrypoint_is_a_command_for_the_cluster(self, job):
        words = shlex.split(job["spec"]["entrypoint"])
        assert words[:2] == ["moseg", "run"]
        assert words[-2:] == ["--ray", "auto"]

    def test_every_pod_has_the_same_image_and_the_same_files_at_the_same_path(self, job, groups):
        pods = [group["template"]["spec"] for group in groups]
        containers = [container for pod in pods for container in pod["containers"]]
        assert len(containers) == 3
        assert len({container["image"] for container in containers}) == 1
        for pod, container in zip(pods, containers, strict=True):
            (volume,), (mount,) = pod["volumes"], container["volumeMounts"]
            assert volume["name"] == mount["name"]
            assert volume["persistentVolumeClaim"] == {"claimName": "moseg-shared"}
            assert mount["mountPath"] == "/shared"
            assert {"name": "MOSEG_CHECKPOINTS", "value": "/shared/checkpoints"} in container["env"]
        paths = [word for word in shlex.split(job["spec"]["entrypoint"]) if word.startswith("/")]
        assert paths
        assert all(path.startswith("/shared/") for path in paths)

    def test_texts_and_numbers_are_what_kubernetes_takes(self, groups):
        for group in groups:
            assert all(isinstance(value, str) for value in group["rayStartParams"].values())
            for container in group["template"]["spec"]["containers"]:
                assert all(isinstance(entry["value"], str) for entry in container["env"])
                limits, requests = (container["resources"][key] for key in ("limits", "requests"))
                assert limits == requests, "Ray counts limits, Kubernetes places by requests"

    def test_it_is_for_the_ray_that_is_tested_here(self, cluster):
        assert cluster["rayVersion"] == ray.__version__
        text = (SCRIPTS / "kuberay/rayjob.yaml").read_text()
        assert f"rayproject/ray:{ray.__version__}-py311-gpu" in text

    def test_the_cluster_has_a_token(self, cluster):
        assert cluster["authOptions"] == {"mode": "token"}
