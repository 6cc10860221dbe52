"""While a run is on, nothing of it listens beyond this machine, and what listens wants the run's own token."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_run import COMMAND, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's table of sockets")

LISTENS = "0A"
LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def _session(leader: int) -> list[Path]:
    """The processes of a session, Ray's among them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int((process / "stat").read_text().rpartition(")")[2].split()[3]) == leader:
                found.append(process)
        except OSError:  # it has ended
            continue
    return found


def listeners(leader: int) -> dict[str, str]:
    """What the session's processes listen on, from the kernel: address:port in hexadecimal -> program."""
    owners: dict[str, str] = {}
    for process in _session(leader):
        try:
            program = (process / "comm").read_text().strip()
            for descriptor in (process / "fd").iterdir():
                if socket := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(descriptor)):
                    owners[socket[1]] = program
        except OSError:
            continue
    found = {}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if inode in owners and (state == LISTENS or table.startswith("udp")):
                found[local] = owners[inode]
    return found


def test_a_local_run_listens_on_the_loopback_and_wants_its_token(tiny: Path, tmp_path: Path) -> None:
    run = subprocess.Popen(
        [COMMAND, "run", tiny, "--workers", "2", "--set", "n_real=[3]", "--set", "seed=[0]"], cwd=tmp_path,
        env=environment() | {"HOME": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    seen: dict[str, str] = {}
    looks = 0
    knocked = None
    while run.poll() is None:
        now = listeners(run.pid)
        seen |= now
        looks += bool(now)
        gcs = [local for local, program in now.items() if program.startswith("gcs_server")]
        trials = any("ray::" in (p / "cmdline").read_text(errors="replace") for p in _session(run.pid) if p.exists())
        if knocked is None and gcs and trials:
            knocked = _knock(gcs)
        time.sleep(0.3)
    assert run.returncode == 0, run.stdout.read() if run.stdout else ""
    assert looks > 3
    assert {"gcs_server", "raylet"} <= set(seen.values())
    beyond = {local: program for local, program in seen.items() if local.partition(":")[0] not in LOOPBACK}
    assert not beyond
    assert knocked is not None
    assert "closed" in knocked
    assert "open" not in knocked
    assert not (tmp_path / ".ray").exists()  # the token was in memory alone


def _knock(ports: list[str]) -> set[str]:
    """What a stranger of this machine hears at the ports on which Ray's control store listens."""
    answers = set()
    for local in ports:
        port = int(local.rpartition(":")[2], 16)
        done = subprocess.run(
            [sys.executable, "-c", KNOCK, f"127.0.0.1:{port}"], capture_output=True, text=True, env=environment()
        )
        answers.add(json.loads(done.stdout.splitlines()[-1])["answer"])
    return answers


KNOCK = """\
import json, os, sys
os.environ["RAY_AUTH_MODE"] = "disabled"
from sweeps.cluster import knock
import ray._private.services as services
services.canonicalize_bootstrap_address = lambda address: address  # which would ask this machine's outer address
print(json.dumps(knock.knock(sys.argv[1])))
"""
