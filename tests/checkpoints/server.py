"""A real HTTP server on loopback that serves one file, well or badly, and remembers requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """What is served and how; may be changed between requests.

    Attributes:
        data: the file.
        etag, modified: validators; "" for none.
        ranges: whether Range is honoured.
        status: of every answer; None for the right one.
        cut: bytes of the body after which the connection is closed; None for never.
        stall: bytes after which the server falls silent.
        pause: seconds before every block of 1000 bytes.
        sized: whether the length is told.
        kind: Content-Type.
        lie: added to the first byte that a partial answer claims to begin with.
    """

    data: bytes
    etag: str = '"one"'
    modified: str = ""
    ranges: bool = True
    status: int | None = None
    cut: int | None = None
    stall: int | None = None
    pause: float = 0.0
    sized: bool = True
    kind: str = "application/octet-stream"
    lie: int = 0
    url: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve until the block ends; `site.url` is the address of a folder."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append(dict(self.headers.items()))
            site.paths.append(self.path)
            _answer(self, site)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}/files"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    first = _first_byte(handler, site)
    if site.status is not None:
        handler.send_error(site.status)
        return
    if first > 0 and first >= len(site.data):
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(site.data)}")
        handler.end_headers()
        return
    body = site.data[first:]
    handler.send_response(206 if first else 200)
    if first:
        told = f"bytes {first + site.lie}-{len(site.data) - 1}/{len(site.data)}"
        handler.send_header("Content-Range", told)
    if site.sized:
        handler.send_header("Content-Length", str(len(body)))
    headers = {"Content-Type": site.kind, "ETag": site.etag, "Last-Modified": site.modified}
    for name, value in headers.items():
        if value:
            handler.send_header(name, value)
    handler.end_headers()
    _send(handler, site, body)


def _first_byte(handler: BaseHTTPRequestHandler, site: Site) -> int:
    wanted = handler.headers.get("Range")
    condition = handler.headers.get("If-Range")
    if wanted is None or not site.ranges or condition not in (None, site.etag, site.modified):
        return 0
    return int(wanted.removeprefix("bytes=").removesuffix("-"))


def _send(handler: BaseHTTPRequestHandler, site: Site, body: bytes) -> None:
    ends = [end for end in (site.cut, site.stall) if end is not None]
    body = body[: min(ends)] if ends else body
    try:
        for start in range(0, len(body), 1000):
            time.sleep(site.pause)
            handler.wfile.write(body[start : start + 1000])
            handler.wfile.flush()
        if site.stall is not None:
            time.sleep(2)
    except (BrokenPipeError, ConnectionResetError):
        pass
    handler.close_connection = True
