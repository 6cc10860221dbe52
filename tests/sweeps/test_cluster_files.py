"""cluster.yaml, its variants in docs/cluster.md and the KubeRay job, against Ray's and KubeRay's own schemas."""

import copy
import json
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/cluster.md").read_text()
FLOOR = re.search(r'"ray\[tune\]>=(\d+)\.(\d+)"', (ROOT / "pyproject.toml").read_text())

Value = dict[str, Any]


def _variants() -> dict[str, Value]:
    found = {"aws": yaml.safe_load((ROOT / "cluster.yaml").read_text())}
    for block in re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL):
        config = yaml.safe_load(block)
        found[config["provider"]["type"]] = config
    return found


VARIANTS = _variants()
JOB: Value = yaml.safe_load((ROOT / "docs/rayjob.yaml").read_text())


@pytest.fixture(scope="module")
def ray_reads() -> Callable[[Value], Value]:
    """What Ray makes of a cluster's file; raises what `ray up` would say of it."""
    util = pytest.importorskip("ray.autoscaler._private.util")

    def read(config: Value) -> Value:
        whole = util.prepare_config(copy.deepcopy(config))
        util.validate_config(whole)
        return whole

    return read


def test_the_guide_has_every_variant() -> None:
    assert VARIANTS.keys() == {"aws", "gcp", "local"}


@pytest.mark.parametrize("name", VARIANTS)
def test_ray_takes_the_file(name: str, ray_reads: Callable[[Value], Value]) -> None:
    whole = ray_reads(VARIANTS[name])
    types = whole["available_node_types"]
    assert whole["head_node_type"] in types
    assert sum(t["min_workers"] for t in types.values()) <= whole["max_workers"]
    assert all(t["max_workers"] <= whole["max_workers"] for t in types.values())
    assert whole["idle_timeout_minutes"] > 0


def test_ray_refuses_what_is_wrong(ray_reads: Callable[[Value], Value]) -> None:
    """The check above can fail."""
    wrong = copy.deepcopy(VARIANTS["aws"])
    wrong["available_node_types"]["gpu-spot"]["min_workers"] = 9
    with pytest.raises(ValueError, match="smaller than the sum of `min_workers`"):
        ray_reads(wrong)
    with pytest.raises(jsonschema.ValidationError):
        ray_reads(VARIANTS["aws"] | {"token": "secret"})


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_clouds_cost_nothing_while_nothing_runs(name: str) -> None:
    config = VARIANTS[name]
    types = config["available_node_types"]
    head, worker = types["head"], types["gpu-spot"]
    assert config["head_node_type"] == "head"
    assert head["resources"] == {"CPU": 0}
    assert head["max_workers"] == 0
    assert worker["min_workers"] == 0 < worker["max_workers"] == config["max_workers"]
    assert worker["resources"]["GPU"] >= 1
    assert config["idle_timeout_minutes"] <= 10
    spot: Value = {
        "aws": {"InstanceMarketOptions": {"MarketType": "spot"}},
        "gcp": {"scheduling": [{"preemptible": True}, {"onHostMaintenance": "TERMINATE"}]},
    }
    assert spot[name].items() <= worker["node_config"].items()


def test_own_machines_run_no_trial_on_the_head() -> None:
    assert any("--num-cpus=0" in command for command in VARIANTS["local"]["head_start_ray_commands"])


@pytest.mark.parametrize("name", VARIANTS)
def test_nobody_gets_in_without_the_token(name: str) -> None:
    config = VARIANTS[name]
    starts = [c for kind in ("head", "worker") for c in config[f"{kind}_start_ray_commands"] if "ray start" in c]
    assert len(starts) == 2
    assert all(c.startswith("export RAY_AUTH_MODE=token; ") for c in starts)
    assert "--dashboard-host=127.0.0.1" in starts[0]
    mounted = {k: v for k, v in config["file_mounts"].items() if v == "~/.ray/auth_token"}
    assert len(mounted) == 1
    path = next(iter(mounted))
    assert path.endswith("/.ray/auth_token")
    assert config["setup_commands"][0] == f"chmod 700 {path.removesuffix('/auth_token')} && chmod 600 {path}"
    if "docker" in config:
        assert "-e RAY_AUTH_MODE=token" in config["docker"]["run_options"]


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_images_are_pinned_to_a_ray_that_we_support(name: str) -> None:
    docker = VARIANTS[name]["docker"]
    assert FLOOR is not None
    for image in (docker["head_image"], docker["worker_image"]):
        found = re.fullmatch(r"rayproject/ray:(\d+)\.(\d+)\.\d+-py311-(cpu|gpu)", image)
        assert found is not None, image
        assert (int(found[1]), int(found[2])) >= (int(FLOOR[1]), int(FLOOR[2]))


def test_the_token_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """The command of the guide and of cluster.yaml's first lines, run."""
    command = re.search(r"\n {2}(\(umask 077;.*)\n", GUIDE)
    assert command is not None
    made = command[1].partition("; chmod")[0]
    assert made in (ROOT / "cluster.yaml").read_text()
    subprocess.run(["sh", "-c", command[1]], check=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    token = tmp_path / ".ray/auth_token"
    assert re.fullmatch("[0-9a-f]{64}", token.read_text())
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700


def test_kuberay_takes_the_job() -> None:
    schema = json.loads((Path(__file__).parent / "data/rayjob.schema.json").read_text())
    jsonschema.validate(JOB, schema)
    for path in (("rayClusterSpec", "workerGroupSpecs", 0, "maxReplicas"), ("rayClusterSpec", "headGroupSpec")):
        wrong = copy.deepcopy(JOB)
        at = wrong["spec"]
        for key in path[:-1]:
            at = at[key]
        del at[path[-1]]
        with pytest.raises(jsonschema.ValidationError, match="is a required property"):
            jsonschema.validate(wrong, schema)
    wrong = copy.deepcopy(JOB)
    wrong["spec"]["rayClusterSpec"]["authOptions"]["mode"] = "tokens"
    with pytest.raises(jsonschema.ValidationError, match="is not one of"):
        jsonschema.validate(wrong, schema)


def test_the_job_wants_a_token_and_costs_nothing_afterwards() -> None:
    spec = JOB["spec"]
    cluster = spec["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert spec["shutdownAfterJobFinishes"] is True
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert cluster["enableInTreeAutoscaling"] is True
    workers = cluster["workerGroupSpecs"][0]
    assert workers["minReplicas"] == 0 < workers["maxReplicas"]
    groups = [cluster["headGroupSpec"], workers]
    images = {c["image"] for group in groups for c in group["template"]["spec"]["containers"]}
    assert all(re.search(r":\d+\.\d+\.\d+$", image) for image in images)
    assert len(images) == 1
    assert f"FROM rayproject/ray:{cluster['rayVersion']}-py311-gpu" in GUIDE
