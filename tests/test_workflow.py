"""The workflow: nothing in it that somebody else can change under us, and no rights that it does not need."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))


def workflows() -> dict[str, dict[str, Any]]:
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_every_action_is_pinned_to_a_commit() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    used = re.findall(r"uses:\s*(\S+)(.*)", text)
    assert len(used) >= 4
    loose = [name for name, note in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", name)]
    assert loose == []
    untold = [name for name, note in used if not re.fullmatch(r"\s+# v\d+(\.\d+)+", note)]
    assert untold == []  # a commit alone does not say which release it is


def test_nothing_may_write_and_no_credential_stays_behind() -> None:
    for workflow in workflows().values():
        assert workflow["permissions"] == {"contents": "read"}
        assert not any("permissions" in job for job in workflow["jobs"].values())
        for step in steps(workflow):
            if str(step.get("uses", "")).startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_no_step_pastes_what_a_stranger_wrote_into_a_shell() -> None:
    for workflow in workflows().values():
        assert not [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")]
        assert "pull_request_target" not in workflow[True]  # YAML 1.1 reads the key `on` as true


def test_it_runs_the_readmes_command_and_an_audit() -> None:
    runs = [step["run"] for step in steps(workflows()["ci.yml"]) if "run" in step]
    assert "make test" in runs
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert any(run.startswith("pip-audit") for run in runs)
    assert all(re.search(r"==[\d.]+$", run) for run in runs if run.startswith("python -m pip install"))
