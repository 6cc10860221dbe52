"""A store in a bucket: Amazon's S3, or a server that speaks its protocol, through fsspec's s3fs.

Credentials, region and endpoint are the environment's, as for every AWS tool (`AWS_PROFILE`, `AWS_ENDPOINT_URL`, a
machine's role, …); none is part of the URI and none is written down. A manifest is put with `If-None-Match: *`, which
S3 decides for all writers at once; so no lock is needed, and an answer that got lost is no failure: asked again, S3
says that the manifest is there.
"""

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ganaug.errors import Unreachable, UserError
from ganaug.failpoints import put_point
from sweeps.store.place import File

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from s3fs import S3FileSystem

T = TypeVar("T")

MARK, MARK_SAYS = "ganaug-store", b"A store of ganaug: blobs, manifests, checkpoints.\n"
ATTEMPTS = 8  # of a request that met a 5xx, a throttle or a broken connection; their waits grow up to 20 s
CONFLICTS = 8  # attempts of a conditional put that S3 could not decide because of another one at the same moment
PAGE = 1000  # names in one answer of a listing, S3's most
TIMEOUT = "GANAUG_S3_TIMEOUT"  # seconds until a request that says nothing is tried again
ONE_PUT = 2 << 30  # bytes; a file of less than twice as much is put by one request, which is done or not

_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[\w!.*'()=/-]*))?", re.ASCII)

_RIGHTS = "these credentials must be allowed to list the bucket and to get, put and delete its objects"
_HINTS = {
    "ExpiredToken": "renew the credentials and give the same command again",
    "RequestTimeTooSkewed": "set this machine's clock, which is more than 15 minutes wrong",
}


def _code(error: BaseException) -> str:
    """S3's own name of an error, e.g. `NoSuchBucket`; its HTTP status where it gives none; empty where S3 did not
    answer."""
    while error is not None and not hasattr(error, "response"):
        if error.__cause__ is None:
            return ""
        error = error.__cause__
    response: dict[str, Any] = error.response or {}
    code = response.get("Error", {}).get("Code") or response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return str(code)


def _quiet(loop: "AbstractEventLoop", context: dict[str, Any]) -> None:
    """A connection that breaks while it is written to is told twice: to whom asked, and by aiohttp to nobody, with a
    traceback on the terminal. The first is enough."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


class Bucket:
    """A prefix of a bucket. Connections are made when first needed, by each process for itself."""

    at_once = 16

    def __init__(self, uri: str) -> None:
        if "@" in uri:
            raise UserError(
                "--store s3://…@…: must hold no credentials; write s3://bucket/prefix and leave them to the "
                "environment (AWS_PROFILE, AWS_ACCESS_KEY_ID, a role)"
            )
        found = _URI.fullmatch(uri)
        if found is None or ".." in uri:
            raise UserError(f"--store {uri}: must be s3://bucket/prefix, of letters, digits and !.*'()=_-")
        self.bucket, self.prefix = found["bucket"], (found["prefix"] or "").strip("/")
        self.uri = "/".join(filter(None, (f"s3://{self.bucket}", self.prefix)))
        self._lock = threading.Lock()
        self._made: tuple[int, S3FileSystem] | None = None
        self.seconds = 0.0  # a request's patience, once connections are made

    def _open(self) -> "S3FileSystem":
        try:
            from s3fs import S3FileSystem
        except ImportError:
            raise UserError(f"--store {self.uri}: needs the package s3fs; pip install 'ganaug[s3]'") from None
        text = os.environ.get(TIMEOUT, "60")
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise UserError(f"{TIMEOUT}: must be a number of seconds above 0, got {text}")
        self.seconds = seconds
        config: dict[str, Any] = {
            "connect_timeout": min(10.0, seconds),
            "read_timeout": seconds,
            "max_pool_connections": 2 * self.at_once,
        }
        retries = {"AWS_MAX_ATTEMPTS": ("total_max_attempts", ATTEMPTS), "AWS_RETRY_MODE": ("mode", "standard")}
        config["retries"] = dict(ours for variable, ours in retries.items() if variable not in os.environ)
        made = S3FileSystem(use_listings_cache=False, skip_instance_cache=True, config_kwargs=config)
        made.retries = 1  # botocore's are above, ours in `_ask`
        made.loop.call_soon_threadsafe(made.loop.set_exception_handler, _quiet)
        return made

    @property
    def _s3(self) -> "S3FileSystem":
        """This process's own connections: those of the process it was forked from are of no use."""
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = (os.getpid(), self._open())
            return self._made[1]

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _ask(self, request: Callable[["S3FileSystem"], T]) -> T:
        """Do a request; its errors come as FileNotFoundError, FileExistsError, UserError or Unreachable.

        botocore asks again until an answer begins; here it is asked again where an answer breaks off or falls silent.
        """
        s3 = self._s3
        from botocore.exceptions import ConnectionError as NotConnected
        from botocore.exceptions import HTTPClientError
        from s3fs.core import S3_RETRYABLE_ERRORS

        began = time.monotonic()
        for attempt in range(ATTEMPTS):
            try:
                return self._told(request, s3)
            except Unreachable as error:
                cause = error.__cause__
                broken = isinstance(cause, S3_RETRYABLE_ERRORS) and not isinstance(cause, NotConnected)
                # after so long a silence botocore has asked often enough
                spent = isinstance(cause, HTTPClientError) and time.monotonic() - began > ATTEMPTS * self.seconds
                if not broken or spent or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0, 0.1 * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    def _told(self, request: Callable[["S3FileSystem"], T], s3: "S3FileSystem") -> T:
        """Do a request once."""
        from botocore.exceptions import BotoCoreError, NoCredentialsError, PartialCredentialsError, ProfileNotFound
        from s3fs.core import S3_RETRYABLE_ERRORS

        try:
            return request(s3)
        except FileExistsError:
            raise
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise UserError(f"--store {self.uri}: there is no bucket {self.bucket}; make it first") from None
            raise
        except PermissionError as error:
            code = _code(error)
            raise UserError(
                f"--store {self.uri}: the server refuses it ({code}); {_HINTS.get(code, _RIGHTS)}"
            ) from None
        except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
            raise UserError(
                f"--store {self.uri}: {str(error).rstrip('.')}; set AWS_PROFILE or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or run where a role gives them"
            ) from None
        except (OSError, BotoCoreError, *S3_RETRYABLE_ERRORS) as error:
            code = _code(error)
            if code in ("PreconditionFailed", "412"):
                raise FileExistsError(str(error)) from error
            said = " ".join(f"{code} {error}".split()) or type(error).__name__
            raise Unreachable(f"--store {self.uri}: no good answer, asked again and again: {said}") from error

    def make(self) -> None:
        """One small put, which tells whether there is such a bucket, whether we may write, and whether it can put
        without replacing: a second one must be refused."""
        if self.put(MARK, MARK_SAYS, replace=False) and self.put(MARK, MARK_SAYS, replace=False):
            raise UserError(
                f"--store {self.uri}: the server replaces what must not be replaced (If-None-Match is ignored); take "
                "one that knows conditional writes, as Amazon S3 does"
            )

    def read(self, name: str) -> bytes:
        return bytes(self._ask(lambda s3: s3.cat_file(f"{self.bucket}/{self._key(name)}", max_concurrency=1)))

    def exists(self, name: str) -> bool:
        return self.file(name) is not None

    def put(self, name: str, data: bytes, replace: bool) -> bool:
        """One request, whose checksum the server compares. Tried again it does no harm: a blob's bytes are its name,
        and a manifest that is there already stays."""
        put_point(name, "begun")
        path, mode = f"{self.bucket}/{self._key(name)}", "overwrite" if replace else "create"
        for attempt in range(CONFLICTS):
            try:
                self._ask(lambda s3: s3.pipe_file(path, data, mode=mode, chunksize=ONE_PUT))
                break
            except FileExistsError:
                return False
            except (Unreachable, FileNotFoundError) as error:
                # NoSuchUpload: a large file whose last answer got lost; it is there, and putting it again does no harm
                again = ("ConditionalRequestConflict", "409", "NoSuchUpload")
                if _code(error) not in again or attempt == CONFLICTS - 1:
                    raise
                time.sleep(random.uniform(0, 0.1 * 2**attempt))
        put_point(name, "placed")
        put_point(name, "kept")
        return True

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """One request of S3's own, by its name."""
        return dict(self._ask(lambda s3: s3.call_s3(method, Bucket=self.bucket, **arguments)))

    def _pages(self, prefix: str, **more: Any) -> Iterator[dict[str, Any]]:
        token: dict[str, Any] = {}
        while True:
            page = self._call("list_objects_v2", **{"Prefix": prefix, "MaxKeys": PAGE, **more, **token})
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def names(self, folder: str) -> Iterator[str]:
        yield from (file.name for file in self.files(folder) if not file.left_over)

    def files(self, folder: str) -> Iterator[File]:
        start = len(self._key(""))
        for page in self._pages(self._key(folder) + "/"):
            for said in page.get("Contents", []):
                yield File(said["Key"][start:], said["Size"], said["LastModified"].timestamp())

    def _head(self, name: str) -> dict[str, Any] | None:
        try:
            return self._call("head_object", Key=self._key(name))
        except FileNotFoundError:
            return None

    def file(self, name: str) -> File | None:
        said = self._head(name)
        return None if said is None else File(name, said["ContentLength"], said["LastModified"].timestamp())

    def now(self) -> float:
        page = next(self._pages(self._key(MARK), MaxKeys=1))
        return parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()

    def rename(self, name: str, new: str) -> None:
        """Copied, then deleted; both only while it is still what it was, so that a better one that another writer put
        meanwhile stays."""
        said = self._head(name)
        if said is None:
            return
        tag, source = said["ETag"], {"Bucket": self.bucket, "Key": self._key(name)}
        try:
            self._call("copy_object", Key=self._key(new), CopySource=source, CopySourceIfMatch=tag)
            self._call("delete_object", Key=self._key(name), IfMatch=tag)
        except (FileNotFoundError, FileExistsError):  # another reader was faster, or another writer
            return

    def remove(self, name: str) -> None:
        self._call("delete_object", Key=self._key(name))
