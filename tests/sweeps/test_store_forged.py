"""A store that somebody else writes to: checksums that are right for what is wrong."""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganaug.artifact import Artifact
from ganaug.stages import TrainImages
from sweeps.store import Store

STAGE = TrainImages("a" * 64)
KINDS = "must hold facts and costs as they are written, got others"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.publish(STAGE, Artifact({"x": np.arange(3)}, {"n": 3}), {"k": ("split", 0.5)})
    return store


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def forge(store: Store, change: Change) -> Path:
    """Changes the manifest and gives it the checksum that belongs to it."""
    (path,) = Path(store.uri).glob("manifests/*/*/*.json")
    manifest = json.loads(path.read_bytes())
    manifest.pop("check")
    change(manifest)
    manifest["check"] = hashlib.sha256(canonical(manifest)).hexdigest()
    path.write_bytes(canonical(manifest))
    return path


def test_a_manifest_that_is_changed_with_its_checksum_is_read(store: Store) -> None:
    """What a forger can do, and SECURITY.md says so; else the tests below would test the checksum."""
    forge(store, lambda manifest: manifest["facts"].update(n=4))
    found = store.load(STAGE)
    assert found is not None
    assert found[0].facts == {"n": 4}


def test_a_digest_is_no_path(store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file outside the store that would be a right blob, and a digest that leads to it."""
    (blob,) = (p for p in Path(store.uri).glob("blobs/*/*") if p.is_file())
    secret = tmp_path / "secret"
    secret.write_bytes(blob.read_bytes())
    read = []
    whole = store.place.read
    store.place.read = lambda name: (read.append(name), whole(name))[1]  # type: ignore[method-assign]
    evil = f"../../../{secret.name}"
    path = forge(store, lambda manifest: manifest["blob"].update(sha256=evil))
    with caplog.at_level(logging.WARNING):
        assert store.load(STAGE) is None
    assert caplog.messages == [
        f"{path}: must name its blob by a sha256, got {evil!r}; set aside, it will be made again"
    ]
    assert [name for name in read if not name.startswith("manifests/")] == []
    assert path.with_suffix(".damaged").exists()


@pytest.mark.parametrize(
    "digest", [None, 5, "", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", ["a" * 64], "/etc/passwd"]
)
def test_nothing_else_is_a_digest(store: Store, digest: Any, caplog: pytest.LogCaptureFixture) -> None:
    path = forge(store, lambda manifest: manifest["blob"].update(sha256=digest))
    with caplog.at_level(logging.WARNING):
        assert store.load(STAGE) is None
    assert caplog.messages[0].startswith(f"{path}: must name its blob by a sha256, got ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m.update(facts=[]), KINDS),
        (lambda m: m.update(cost={"k": ["split", "long"]}), KINDS),
        (lambda m: m.update(cost={"k": ["split"]}), KINDS),
        (lambda m: m.update(cost={"k": ["split", float("nan")]}), KINDS),
        (lambda m: m.pop("facts"), KINDS),
        (lambda m: m.update(blob=None), "must name its blob by a sha256, got 'None'"),
        (lambda m: m.update(key="b" * 64), f"is another's: expected key {STAGE.key}, found {'b' * 64}"),
    ],
)  # fmt: skip
def test_parts_of_another_kind_are_damage(
    store: Store, change: Change, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = forge(store, change)
    with caplog.at_level(logging.WARNING):
        assert store.load(STAGE) is None
    assert caplog.messages == [f"{path}: {told}; set aside, it will be made again"]


@pytest.mark.parametrize("data", [b"[" * 100_000, b"[]", b"null", b"{}", b'{"check": 5}', b"\xff", b""])
def test_what_is_no_mapping_is_no_manifest(store: Store, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (path,) = Path(store.uri).glob("manifests/*/*/*.json")
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert store.load(STAGE) is None
    assert caplog.messages == [f"{path}: not a manifest; set aside, it will be made again"]


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        (1 << 62).to_bytes(8, "little"),
        (2).to_bytes(8, "little") + b"[]",
        (64).to_bytes(8, "little") + b'{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'.ljust(64) + b"\0\0",
    ],
)
def test_a_blob_under_its_own_digest_that_is_no_array_is_damage(
    store: Store, blob: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    digest = hashlib.sha256(blob).hexdigest()
    store.place.put(f"blobs/{digest[:2]}/{digest}", blob, replace=True)
    forge(store, lambda manifest: manifest.update(blob={"sha256": digest, "bytes": len(blob)}))
    with caplog.at_level(logging.WARNING):
        assert store.load(STAGE) is None
    assert f"{digest}: is no safetensors file (" in caplog.messages[0]
    seal = hashlib.sha256(STAGE.key.encode() + blob).hexdigest().encode()
    store.place.put(f"checkpoints/{STAGE.key}", seal + blob, replace=True)
    with caplog.at_level(logging.WARNING):
        assert store.load_progress(STAGE.key) is None
    assert "is no safetensors file (" in caplog.messages[-1]
