"""Downloading: over https alone, whole or not at all, and kept only with the md5 that is published.

An md5 does not withstand somebody who makes two files for one sum; it does withstand one who has to meet a sum that is
given, and none better is published. What is downloaded is read like any other file: as if every byte could be wrong.
"""

import hashlib
import os
import secrets
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from ganaug.datasets.archive import open_zip
from ganaug.datasets.catalog import missing
from ganaug.datasets.emnist import PROTOCOLS
from ganaug.errors import UserError

TIMEOUT = 60  # seconds without a byte
MAX_MEMBER = 1 << 30  # bytes of a file of EMNIST's archive; its largest is 0.2 GB
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Remote:
    """A file to download: its address, the publisher's md5, and a bound on its bytes."""

    url: str
    md5: str
    most: int


_MB = 1 << 20
_OF_MNIST = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
             "t10k-labels-idx1-ubyte.gz")  # fmt: skip


def _four(base: str, *md5: str) -> dict[str, Remote]:
    return {name: Remote(base + name, sum_, 64 * _MB) for name, sum_ in zip(_OF_MNIST, md5, strict=True)}


# md5 as torchvision 0.29 has them; of CIFAR-10's binary version as its publisher's page has it
FILES: dict[str, dict[str, Remote]] = {
    "mnist": _four(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": _four(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    "kmnist": _four(
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134",
    ),
    "cifar10": {
        "cifar-10-binary.tar.gz": Remote(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 256 * _MB
        )
    },
}  # fmt: skip
EMNIST = Remote("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e", 1024 * _MB)


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """A redirect may lead elsewhere, not down to what anybody on the way can change."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_https(url: str) -> None:
    if not url.lower().startswith("https://"):
        raise OSError(f"{url} is not https")


@contextmanager
def _whole(target: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name once it is written and on the disk; nothing stays of one that was broken off."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def fetch(remote: Remote, target: Path, trust: ssl.SSLContext | None = None) -> None:
    """Download a file to `target`, whole or not at all.

    trust: whose certificates are believed; None: the machine's.
    Raises OSError (URLError, HTTPError, …) where it cannot be had, has more bytes than it may, or another md5.
    """
    _require_https(remote.url)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), _OnlyHttps())
    request = urllib.request.Request(remote.url, headers={"User-Agent": "ganaug"})
    digest, seen = hashlib.md5(usedforsecurity=False), 0
    with opener.open(request, timeout=TIMEOUT) as answer, _whole(target) as file:
        while chunk := answer.read(_CHUNK):
            seen += len(chunk)
            if seen > remote.most:
                raise OSError(f"{remote.url} has more than {remote.most} bytes")
            digest.update(chunk)
            file.write(chunk)
        if digest.hexdigest() != remote.md5:
            raise OSError(f"{remote.url} has md5 {digest.hexdigest()}, not the published {remote.md5}")


def _fetch_emnist(wanted: list[Path], trust: ssl.SSLContext | None) -> None:
    """EMNIST comes as one archive of all protocols; the files that are asked for are taken out of it."""
    archive = wanted[0].parent / "gzip.zip"
    if not archive.exists():
        fetch(EMNIST, archive, trust)
    with open_zip(archive, total=8 * MAX_MEMBER) as found:
        known = {name.rpartition("/")[2]: name for name in found.names}
        for path in wanted:
            if path.name not in known:
                raise UserError(f"{archive}: must hold {path.name}, got none; delete it and get it again")
            with _whole(path) as file:
                for chunk in found.chunks(known[path.name], MAX_MEMBER):
                    file.write(chunk)
    archive.unlink()


def _fetch(name: str, wanted: list[Path], trust: ssl.SSLContext | None) -> None:
    if name == "emnist":
        return _fetch_emnist(wanted, trust)
    if name not in FILES:
        raise UserError(f"{name} has nothing to download; put your images where `path` says")
    for path in wanted:
        fetch(FILES[name][path.name], path, trust)
    return None


def download(name: str, data_dir: str | Path, trust: ssl.SSLContext | None = None, **options: Any) -> None:
    """Puts the files of `name` where `load` finds them; does nothing where they are already there.

    trust: as `fetch`.
    Raises UserError, one line that lists the files to put in place by hand, where the download fails.
    """
    kind, _, protocol = name.partition("-")
    if kind == "emnist" and protocol in PROTOCOLS:  # as its loader calls each of them
        name, options = kind, options | {"protocol": protocol}
    wanted = missing(name, data_dir, **options)
    if not wanted:
        return
    try:
        _fetch(name, wanted, trust)
        reason = "they are still not there"
    except (OSError, HTTPException) as error:  # no network, no space, another md5, a connection that ends early
        reason = " ".join(str(error).split()) or type(error).__name__
    if wanted := missing(name, data_dir, **options):
        raise UserError(
            f"{name} could not be downloaded ({reason}); get {', '.join(path.name for path in wanted)} "
            f"elsewhere and put them into {wanted[0].parent}"
        )
