"""Downloads, from a real https server on loopback with a certificate of its own."""

import gzip
import hashlib
import io
import ssl
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import trustme

from ganaug.datasets import download, fetch, load
from ganaug.datasets.fetch import EMNIST, FILES, Remote
from ganaug.errors import UserError


class Server:
    """What it gives: `files` by path, 302 for `moved`, and 200 with half the bytes it promised for `cut`."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        own = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                own.asked.append(self.path)
                if self.path in own.moved:
                    self.send_response(302)
                    self.send_header("Location", own.moved[self.path])
                    self.end_headers()
                elif self.path in own.files:
                    data = own.files[self.path]
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data[: len(data) // 2] if self.path in own.cut else data)
                else:
                    self.send_error(404)

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.at = f"https://127.0.0.1:{self.http.server_port}"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def server(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("ganaug.datasets.mnist.DEBIAN_FASHION_MNIST", tmp_path / "debian")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    own = Server(context)
    thread = threading.Thread(target=own.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield own
    own.http.shutdown()
    own.http.server_close()
    thread.join()


def remote(server: Server, path: str, data: bytes, most: int = 1000) -> Remote:
    server.files[path] = data
    return Remote(server.at + path, hashlib.md5(data, usedforsecurity=False).hexdigest(), most)


def failure(source: Remote, target: Path, trust: ssl.SSLContext | None) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011
        fetch.fetch(source, target, trust)
    assert not target.exists()
    assert list(target.parent.iterdir()) == []  # nor a half of it under another name
    return str(caught.value)


def test_a_file_is_there_whole(server, trust, tmp_path):
    source = remote(server, "/a.gz", b"whole")
    fetch.fetch(source, tmp_path / "below" / "a.gz", trust)
    assert (tmp_path / "below" / "a.gz").read_bytes() == b"whole"
    assert [p.name for p in (tmp_path / "below").iterdir()] == ["a.gz"]


def test_bytes_of_another_md5_are_thrown_away(server, trust, tmp_path):
    source = remote(server, "/a.gz", b"whole")
    server.files["/a.gz"] = b"other"
    assert failure(source, tmp_path / "a.gz", trust) == (
        f"{server.at}/a.gz has md5 795f3202b17cb6bc3d4b771d8c6c9eaf, not the published {source.md5}"
    )


def test_more_bytes_than_there_may_be_are_not_written(server, trust, tmp_path):
    source = remote(server, "/a.gz", bytes(1001), most=1000)
    assert failure(source, tmp_path / "a.gz", trust) == f"{server.at}/a.gz has more than 1000 bytes"


def test_half_a_file_is_none(server, trust, tmp_path):
    source = remote(server, "/a.gz", bytes(500))
    server.cut.add("/a.gz")
    assert "not the published" in failure(source, tmp_path / "a.gz", trust)


def test_nothing_but_https_is_asked_not_even_after_a_redirect(server, trust, tmp_path):
    source = remote(server, "/a.gz", b"whole")
    (tmp_path / "out").mkdir()
    for url in (source.url.replace("https", "http"), (tmp_path / "x").as_uri(), "ftp://127.0.0.1/a.gz"):
        assert failure(replace(source, url=url), tmp_path / "out" / "a", trust) == f"{url} is not https"
    assert server.asked == []
    down = server.at.replace("https", "http") + "/a.gz"
    server.moved["/b.gz"] = down
    assert failure(replace(source, url=server.at + "/b.gz"), tmp_path / "out" / "a", trust) == f"{down} is not https"
    server.moved["/b.gz"] = server.at + "/a.gz"
    fetch.fetch(replace(source, url=server.at + "/b.gz"), tmp_path / "a.gz", trust)
    assert (tmp_path / "a.gz").read_bytes() == b"whole"


def test_a_certificate_of_nobody_is_refused(server, tmp_path):
    assert "certificate verify failed" in failure(remote(server, "/a.gz", b"whole"), tmp_path / "a.gz", None)


def test_every_address_is_https_and_every_md5_is_torchvisions():
    from torchvision.datasets.mnist import EMNIST as THEIRS
    from torchvision.datasets.mnist import KMNIST, MNIST, FashionMNIST

    assert all(f.url.startswith("https://") for files in FILES.values() for f in files.values())
    for name, theirs in (("mnist", MNIST), ("fashion-mnist", FashionMNIST), ("kmnist", KMNIST)):
        assert {file: source.md5 for file, source in FILES[name].items()} == dict(theirs.resources)
    assert (EMNIST.url, EMNIST.md5) == (THEIRS.url, THEIRS.md5)


def refusal(name: str, data_dir: Path, trust: ssl.SSLContext | None = None, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        download(name, data_dir, trust, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def elsewhere(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The publishers' addresses led to the server of the test, which has nothing yet."""
    for files in FILES.values():
        for name, source in files.items():
            monkeypatch.setitem(files, name, replace(source, url=f"{server.at}/{name}"))
    monkeypatch.setattr(fetch, "EMNIST", replace(EMNIST, url=f"{server.at}/gzip.zip"))
    return server


@pytest.mark.parametrize(
    ("name", "folder"), [("mnist", "MNIST"), ("kmnist", "KMNIST"), ("fashion-mnist", "FashionMNIST")]
)
def test_what_cannot_be_had_is_one_line_with_the_files_to_put_there(elsewhere, trust, tmp_path, name, folder):
    assert refusal(name, tmp_path, trust) == (
        f"{name} could not be downloaded (HTTP Error 404: Not Found); get train-images-idx3-ubyte.gz, "
        f"train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz elsewhere "
        f"and put them into {tmp_path / folder / 'raw'}"
    )


def test_emnist_names_the_files_of_its_protocol(elsewhere, trust, tmp_path):
    assert refusal("emnist", tmp_path, trust, protocol="letters").startswith(
        "emnist could not be downloaded (HTTP Error 404: Not Found); get emnist-letters-train-images-idx3-ubyte.gz, "
    )
    assert "protocol must be one of" in refusal("emnist", tmp_path, trust, protocol="capitals")


@pytest.mark.parametrize("protocol", ["balanced-upper", "byclass-upper"])
def test_the_command_that_a_missing_protocol_names_is_understood(elsewhere, trust, tmp_path, protocol):
    with pytest.raises(UserError) as absent:
        load("emnist", tmp_path, protocol=protocol)
    name = str(absent.value).split("`ganaug data get ")[1].split("`")[0]
    assert name == f"emnist-{protocol}"
    assert refusal(name, tmp_path, trust) == refusal("emnist", tmp_path, trust, protocol=protocol)


def test_what_is_there_is_not_downloaded_again(elsewhere, tmp_path, write_split):
    write_split(tmp_path / "MNIST" / "raw", "train", np.arange(10))
    write_split(tmp_path / "MNIST" / "raw", "t10k", np.arange(10))
    download("mnist", tmp_path)
    download("digits", tmp_path)
    assert elsewhere.asked == []


def test_ones_own_images_cannot_be_downloaded(tmp_path):
    assert refusal("folder", tmp_path, path="pets") == (
        "folder has nothing to download; put your images where `path` says"
    )


def _publish(server: Server, files: dict[str, Remote], monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    for name, source in files.items():
        server.files[f"/{name}"] = data
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        monkeypatch.setitem(files, name, replace(source, md5=md5))


def test_files_are_put_where_the_loaders_look(elsewhere, trust, tmp_path, monkeypatch):
    for name in ("mnist", "kmnist", "fashion-mnist", "cifar10"):
        _publish(elsewhere, FILES[name], monkeypatch, name.encode())
        download(name, tmp_path, trust)
    assert (tmp_path / "KMNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").read_bytes() == b"kmnist"
    assert (tmp_path / "cifar-10-binary.tar.gz").read_bytes() == b"cifar10"


def test_of_emnists_archive_the_files_of_a_protocol_are_kept(elsewhere, trust, tmp_path, monkeypatch):
    buffer = io.BytesIO()
    names = [f"emnist-letters-{part}-idx{n}-ubyte.gz" for part in ("train-images", "test-images") for n in (3,)]
    names += [f"emnist-letters-{part}-labels-idx1-ubyte.gz" for part in ("train", "test")]
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in [*names, "emnist-digits-test-labels-idx1-ubyte.gz"]:
            archive.writestr(f"gzip/{name}", gzip.compress(name.encode(), mtime=0))
    data = buffer.getvalue()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(fetch, "EMNIST", Remote(f"{elsewhere.at}/gzip.zip", md5, len(data)))
    elsewhere.files["/gzip.zip"] = data
    download("emnist-letters", tmp_path, trust)
    raw = tmp_path / "EMNIST" / "raw"
    assert sorted(p.name for p in raw.iterdir()) == sorted(names)
    assert gzip.decompress((raw / names[0]).read_bytes()).decode() == names[0]
    assert "must hold emnist-balanced-train-images-idx3-ubyte.gz, got none; delete it and get it again" in refusal(
        "emnist", tmp_path, trust, protocol="balanced"
    )
