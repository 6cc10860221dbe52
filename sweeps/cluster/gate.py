"""The way into a cluster: `--address` is followed only to a Ray that wants a token, with one that others cannot read.

Whoever reaches a Ray cluster without authentication can run code on it, as its user. So before anything is joined,
somebody without a token knocks (`sweeps/cluster/knock.py`): what counts is what the cluster does, not what a
variable says.
"""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from ganaug.errors import UserError

OPTION = "--allow-unauthenticated-cluster"


def _token_file() -> Path:
    """Where Ray reads its token, unless RAY_AUTH_TOKEN holds it."""
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Path(named).expanduser() if named else Path.home() / ".ray" / "auth_token"


def _has_token() -> bool:
    """Whether Ray will find a token here; UserError where others can read it."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    path = _token_file()
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return False
    if mode & 0o077:
        raise UserError(
            f"{path}: holds the cluster's token, and others can read it (mode {mode:04o}): chmod 600 {path}"
        )
    return True


def _knock(address: str, *token: str) -> tuple[str | None, str, str]:
    """The cluster's host:port, what it answers (see `knock`), and why it answers nothing."""
    command = [sys.executable, "-m", "sweeps.cluster.knock", address, *token]
    asked = subprocess.run(command, capture_output=True, text=True)
    try:
        told = json.loads(asked.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return None, "none", f"whether it wants a token cannot be told: {last}"
    return told["address"], told["answer"], told["why"]


def admitted(address: str, unauthenticated: bool = False) -> str:
    """The host:port of the cluster at `address`, with this process ready to join it; UserError where it should not.

    `unauthenticated`: join also what lets in everybody. Sets RAY_AUTH_MODE, so call it before Ray is imported.
    """
    if "://" in address:
        raise UserError(
            f"--address {address}: a study runs on a node of the cluster, not through Ray Client; "
            "log in there (`ray attach`) and give --address auto"
        )
    found, answer, why = _knock(address)
    if answer == "none" or found is None:
        raise UserError(f"--address {address}: no cluster answers ({why}); start one (docs/cluster.md) or leave it out")
    if answer == "open":
        if not unauthenticated:
            raise UserError(
                f"--address {address}: the cluster at {found} wants no token: whoever reaches it can run code on it; "
                f"restart it with RAY_AUTH_MODE=token (docs/cluster.md), or say {OPTION}"
            )
        os.environ["RAY_AUTH_MODE"] = "disabled"
        return found
    if not _has_token():
        raise UserError(
            f"--address {address}: the cluster at {found} wants a token and there is none here; put its own "
            f"into {_token_file()}, mode 0600"
        )
    if _knock(address, "token")[1] != "open":  # only now: a token is shown to no cluster that does not ask for it
        raise UserError(
            f"--address {address}: the cluster at {found} does not take the token that is here; it must be its own"
        )
    os.environ["RAY_AUTH_MODE"] = "token"
    return found
