"""A model hub on loopback: the HTTP APIs of Hugging Face and ModelScope, with bad habits on demand."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".bin", ".parquet")  # stored under their SHA-256, served by redirect


class HubServer:
    """Serves the files of one folder as the model ``tiny/llama``, and ``dataset`` as the dataset of the same name.

    Bad habits: cut_after (bytes after which a weights transfer breaks off), cuts (how many transfers break),
    ignore_ranges, chunk_delay_s, status (answer of every request), gated (files only),
    corrupt (flip a byte of the weights).
    """

    def __init__(self, folder: Path, repo: str = "tiny/llama") -> None:
        self.folder, self.repo = folder, repo
        self.cut_after: int | None = None
        self.cuts = 0
        self.ignore_ranges = False
        self.chunk_delay_s = 0.0
        self.status = 0
        self.gated = False
        self.corrupt = False
        self.extra: dict[str, bytes] = {}
        self.dataset: dict[str, bytes] = {}
        self.revision = REVISION
        self.requests: list[tuple[str, str]] = []  # path, Range header
        self.sent_bytes = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> HubServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def files(self) -> dict[str, bytes]:
        """Everything that the hub has of the model."""
        return {p.name: p.read_bytes() for p in sorted(self.folder.iterdir()) if p.is_file()} | self.extra

    def huggingface_info(self, files: dict[str, bytes] | None = None) -> dict[str, Any]:
        siblings = []
        for name, content in (self.files() if files is None else files).items():
            oid = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": oid}
            if name.endswith(LARGE):
                entry["lfs"] = {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 130,
                }
            siblings.append(entry)
        return {
            "id": self.repo,
            "modelId": self.repo,
            "sha": self.revision,
            "private": False,
            "gated": False,
            "tags": [],
            "cardData": {"license": "apache-2.0"},
            "siblings": siblings,
        }

    def modelscope_files(self, content_of: dict[str, bytes] | None = None) -> dict[str, Any]:
        files = [
            {
                "Name": name,
                "Path": name,
                "Type": "blob",
                "Size": len(content),
                "Sha256": hashlib.sha256(content).hexdigest(),
                "Revision": REVISION,
            }
            for name, content in (self.files() if content_of is None else content_of).items()
        ]
        files.append({"Name": "onnx", "Path": "onnx", "Type": "tree", "Size": 0, "Sha256": ""})
        return {"Code": 200, "Success": True, "Data": {"Files": files, "LatestCommitter": {"Id": ""}}}

    def modelscope_page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """One page of the dataset's files; only with the parameters that the real hub wants."""
        assert query["Recursive"] == ["True"]
        page, size = int(query["PageNumber"][0]), int(query["PageSize"][0])
        answer = self.modelscope_files(self.dataset)
        answer["Data"]["Files"] = answer["Data"]["Files"][(page - 1) * size : page * size]
        return answer


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.requests.append((self.path, self.headers.get("Range", "")))
            url = urlsplit(self.path)
            if hub.status:
                return self.json(hub.status, {"error": "told to"})
            routes: list[tuple[str, Callable[[str], None]]] = [
                (f"/api/models/{hub.repo}", lambda _rest: self.json(200, hub.huggingface_info())),
                (
                    f"/api/v1/models/{hub.repo}/repo/files",
                    lambda _rest: self.json(200, hub.modelscope_files()),
                ),
                (
                    f"/api/v1/models/{hub.repo}/repo",
                    lambda _rest: self.file(parse_qs(url.query)["FilePath"][0]),
                ),
                (f"/{hub.repo}/resolve/{REVISION}/", self.resolve),
                (
                    f"/api/datasets/{hub.repo}",
                    lambda _rest: self.json(200, hub.huggingface_info(hub.dataset)),
                ),
                (f"/datasets/{hub.repo}/resolve/{hub.revision}/", self.resolve),
                (
                    f"/api/v1/datasets/{hub.repo}",
                    lambda _rest: self.json(200, {"Code": 200, "Data": {"Id": 77, "License": "cc0-1.0"}}),
                ),
                (
                    "/api/v1/datasets/77/repo/tree",
                    lambda _rest: self.json(200, hub.modelscope_page(parse_qs(url.query))),
                ),
                (
                    f"/api/v1/datasets/{hub.repo}/repo",
                    lambda _rest: self.file(parse_qs(url.query)["FilePath"][0]),
                ),
                ("/cdn/", self.file),
            ]
            for start, answer in routes:
                if url.path == start or (start.endswith("/") and url.path.startswith(start)):
                    return answer(unquote(url.path[len(start) :]))
            if url.path.startswith("/api/v1/"):
                return self.json(200, {"Code": 10010205001, "Success": False, "Message": "record not found"})
            return self.json(401, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})

        def resolve(self, name: str) -> None:
            if name.endswith(LARGE):
                self.send_response(302)
                self.send_header("Location", f"{hub.url}/cdn/{name}")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.file(name)

        def file(self, name: str) -> None:
            content = (hub.files() | hub.dataset).get(name)
            if hub.gated:
                return self.json(403, {"error": "Agree first"}, {"X-Error-Code": "GatedRepo"})
            if content is None:
                return self.json(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
            if hub.corrupt and name.endswith(LARGE):
                content = content[:-1] + bytes([content[-1] ^ 1])
            start, wanted = 0, self.headers.get("Range", "")
            if wanted.startswith("bytes=") and not hub.ignore_ranges:
                start = int(wanted[6:].split("-")[0])
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.stream(name, content[start:])

        def stream(self, name: str, content: bytes) -> None:
            cut = hub.cut_after if hub.cuts > 0 and name.endswith(LARGE) else None
            if cut is not None:
                hub.cuts -= 1
                content = content[:cut]
            try:
                for at in range(0, len(content), 16_384):
                    self.wfile.write(content[at : at + 16_384])
                    hub.sent_bytes += len(content[at : at + 16_384])
                    if hub.chunk_delay_s:
                        time.sleep(hub.chunk_delay_s)
            except OSError:  # the client has gone, as tests of cancelling want it
                self.close_connection = True
            if cut is not None:
                self.close_connection = True

        def json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            for key, text in {**(headers or {}), "Content-Type": "application/json"}.items():
                self.send_header(key, text)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silence: the tests look at ``requests``."""

    return Handler
