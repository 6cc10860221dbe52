"""A real S3 server on the loopback (moto's, in a process of its own), and a proxy before it that breaks things.

    python tests/sweeps/s3_server.py      # serves until its standard input ends; prints its address

moto decides `If-None-Match: *` in two steps, a look and a put, and S3 in one. So those puts go one at a time here.
"""

import contextlib
import http.client
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-tests",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def main() -> None:
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    app = DomainDispatcherApplication(create_backend_app)
    one_at_a_time = threading.Lock()

    def atomic(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with one_at_a_time if "HTTP_IF_NONE_MATCH" in environ else contextlib.nullcontext():
            return app(environ, start)

    def end_with_parent() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    server = make_server("127.0.0.1", 0, atomic, threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The address of a server, for as long as it is wanted."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def environment(endpoint: str) -> dict[str, str]:
    """What a process needs to find the server."""
    return CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint}


def make_bucket(endpoint: str, bucket: str) -> None:
    host = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
    host.request("PUT", f"/{bucket}")
    assert host.getresponse().status == 200, bucket


FAULTS = ("500", "503", "stalled", "refused", "cut upload", "answer lost", "answer late", "answer cut")
"""What can befall a request: an error; silence; a closed connection, at once or in the middle of the request's body;
and three where the server did what it was asked: no answer, one that comes too late, one that breaks off."""

_CODES = {
    "500": (500, "InternalError"),
    "503": (503, "SlowDown"),
    "403": (403, "AccessDenied"),
    "409": (409, "ConditionalRequestConflict"),
    "wrong clock": (403, "RequestTimeTooSkewed"),
    "expired": (400, "ExpiredToken"),
}


@dataclass
class Proxy:
    """Passes requests on to `upstream`, and every now and then one of `faults` befalls a request.

    rate: the share of requests. patience: seconds the clients wait. only: the requests that faults befall.
    delay: seconds that every answer takes longer.
    """

    upstream: str
    faults: tuple[str, ...] = FAULTS
    rate: float = 0.0
    patience: float = 1.0
    seed: int = 0
    delay: float = 0.0
    only: Callable[[str, str], bool] = lambda method, path: True
    done: Counter[str] = field(default_factory=Counter)  # faults, by name
    created: Counter[str] = field(default_factory=Counter)  # conditional puts that the server did, by path
    refused: Counter[str] = field(default_factory=Counter)  # and that it did not, because the path was there
    requests: Counter[str] = field(default_factory=Counter)  # by method

    def __post_init__(self) -> None:
        self._random, self._lock = random.Random(self.seed), threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                proxy.handle(self)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_one

            def log_message(self, *_: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                """A client that went away is what this is for."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _fault(self, method: str, path: str) -> str | None:
        with self._lock:
            self.requests[method] += 1
            if not self.only(method, path) or self._random.random() >= self.rate:
                return None
            fault = self._random.choice(self.faults)
            self.done[fault] += 1
            return fault

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        fault = self._fault(request.command, path)
        time.sleep(self.delay)
        length = int(request.headers.get("Content-Length") or 0)
        request.close_connection = fault is not None
        if fault == "cut upload":
            request.rfile.read(length // 2)
            return
        body = request.rfile.read(length)
        if fault == "stalled":
            time.sleep(1.5 * self.patience)
        if fault in ("stalled", "refused"):
            return
        if fault in _CODES:
            status, code = _CODES[fault]
            text = f"<Error><Code>{code}</Code><Message>made up by a test</Message></Error>".encode()
            self._answer(request, status, [("Content-Type", "application/xml")], text, len(text))
            return
        upstream = http.client.HTTPConnection(self.upstream.removeprefix("http://"), timeout=60)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("connection", "expect")}
        upstream.request(request.command, request.path, body, headers | {"Connection": "close"})
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        if request.headers.get("If-None-Match"):
            with self._lock:
                (self.created if answer.status == 200 else self.refused)[path] += 1
        if fault == "answer late":
            time.sleep(1.5 * self.patience)
        if fault in ("answer lost", "answer late"):
            return
        sent = data[: len(data) // 2] if fault == "answer cut" else data
        dropped = ("connection", "content-length", "transfer-encoding", "keep-alive")
        kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in dropped]
        told = int(answer.getheader("Content-Length") or 0) if request.command == "HEAD" else len(data)
        # where there is no body to cut, the promise of one is broken
        told += fault == "answer cut" and not data and request.command != "HEAD"
        self._answer(request, answer.status, kept, sent, told)

    @staticmethod
    def _answer(
        request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], data: bytes, length: int
    ) -> None:
        request.send_response_only(status)
        for name, value in headers:
            request.send_header(name, value)
        request.send_header("Content-Length", str(length))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(data)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])
    main()
