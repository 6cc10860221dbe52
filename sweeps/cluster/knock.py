"""Knocks at a Ray cluster's door, as a stranger or with the token that is here, and says what it answers.

    python -m sweeps.cluster.knock ADDRESS [token]

A process of its own, since Ray reads a token once. Prints one line of JSON: `address` (host:port; null where there is
no cluster), `answer` (`open`: let in; `closed`: turned away; `none`: nobody answers) and `why`.
"""

import json
import os
import socket
import sys

SECONDS = 5.0  # to wait for somebody at the address


def _no_one(address: str | None, why: str) -> dict[str, str | None]:
    return {"address": address, "answer": "none", "why": why}


def knock(address: str) -> dict[str, str | None]:
    """Ask a cluster for the names of its keys, which it tells whom it lets in."""
    from ray._private.services import canonicalize_bootstrap_address
    from ray._raylet import GcsClient  # type: ignore[attr-defined]  # a compiled module
    from ray.exceptions import AuthenticationError

    try:
        found = canonicalize_bootstrap_address(address)
    except (ConnectionError, ValueError) as error:
        return _no_one(None, str(error).splitlines()[0])
    if found is None:
        return _no_one(None, "no cluster runs on this machine")
    host, _, port = found.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
    except OSError as error:  # Ray would try for most of a minute
        return _no_one(found, error.strerror or str(error))
    try:
        GcsClient(address=found).internal_kv_keys(b"", None, timeout=SECONDS)
    except AuthenticationError:
        return {"address": found, "answer": "closed", "why": None}
    except Exception as error:
        return _no_one(found, str(error).splitlines()[0])
    return {"address": found, "answer": "open", "why": None}


if __name__ == "__main__":
    if sys.argv[2:] == ["token"]:
        os.environ["RAY_AUTH_MODE"] = "token"
    else:
        for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
            os.environ.pop(name, None)
        os.environ["RAY_AUTH_MODE"] = "disabled"
    print(json.dumps(knock(sys.argv[1])))
