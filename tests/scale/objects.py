"""Object storage in a thread of the test: as much of Amazon's S3 as pyarrow asks for, in a dict."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape


class Bucket:
    """What lies in it, {path with the bucket's name: bytes}; `refused`: paths that answer 403."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refused: set[str] = set()
        self.pieces: dict[str, dict[int, bytes]] = {}
        self.address = ""

    def list(self, bucket: str, query: dict[str, str]) -> str:
        """The answer to ListObjectsV2."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        keys, folders = [], set()
        for path in sorted(self.objects):
            place, _, key = path.partition("/")
            if place == bucket and key.startswith(prefix):
                head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
                if cut:
                    folders.add(prefix + head + delimiter)
                else:
                    keys.append(key)
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[f'{bucket}/{key}'])}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in keys
        )
        found += "".join(
            f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders
        )
        count = len(keys) + len(folders)
        return (
            f"<ListBucketResult><KeyCount>{count}</KeyCount><IsTruncated>false</IsTruncated>"
            f"{found}</ListBucketResult>"
        )


@contextmanager
def serving() -> Iterator[Bucket]:
    """A bucket 'b' that listens on this machine."""
    bucket = Bucket()

    class Handler(_Handler):
        there = bucket

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    bucket.address = f"endpoint_override=127.0.0.1:{server.server_port}&scheme=http&region=us-east-1"
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    there: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def asked(self) -> tuple[str, dict[str, str]]:
        parts = urllib.parse.urlsplit(self.path)
        return urllib.parse.unquote(parts.path).strip("/"), dict(
            urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        )

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b"".join(iter(self.piece, b""))
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _unsigned(data) if "aws-chunked" in self.headers.get("Content-Encoding", "") else data

    def piece(self) -> bytes:
        """The next piece of a chunked body."""
        data = self.rfile.read(int(self.rfile.readline().partition(b";")[0], 16))
        self.rfile.readline()
        return data

    def do_HEAD(self) -> None:
        path, _ = self.asked()
        if path in self.there.refused:
            self.answer(403)
        elif path in self.there.objects:
            self.answer(
                200,
                Content_Length=str(len(self.there.objects[path])),
                Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT",
                ETag='"x"',
            )
        else:
            self.answer(200 if path == "b" else 404)

    def do_GET(self) -> None:
        path, query = self.asked()
        if "/" not in path:
            self.answer(200, self.there.list(path, query).encode(), Content_Type="application/xml")
            return
        if path in self.there.refused or path not in self.there.objects:
            self.answer(403 if path in self.there.refused else 404)
            return
        data = self.there.objects[path]
        start, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        piece = data[int(start) : int(end) + 1 if end else None]
        self.answer(206 if "Range" in self.headers else 200, piece, ETag='"x"')

    def do_PUT(self) -> None:
        (path, query), data = self.asked(), self.body()
        if "partNumber" in query:
            self.there.pieces.setdefault(path, {})[int(query["partNumber"])] = data
        elif "/" in path:
            self.there.objects[path] = data
        self.answer(200, ETag='"x"')

    def do_POST(self) -> None:
        (path, query), _ = self.asked(), self.body()
        if "uploads" in query:
            self.answer(
                200, b"<R><UploadId>1</UploadId></R>".replace(b"R>", b"InitiateMultipartUploadResult>")
            )
            return
        pieces = self.there.pieces.pop(path)
        self.there.objects[path] = b"".join(pieces[number] for number in sorted(pieces))
        self.answer(200, b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")

    def do_DELETE(self) -> None:
        path, _ = self.asked()
        self.there.objects.pop(path, None)
        self.answer(204)


def _unsigned(data: bytes) -> bytes:
    """The content of `aws-chunked` bytes: pieces of 'size;signature' and data, then a trailer."""
    found = b""
    while data:
        head, _, data = data.partition(b"\r\n")
        size = int(head.partition(b";")[0], 16)
        if not size:
            return found
        found, data = found + data[:size], data[size + 2 :]
    return found
