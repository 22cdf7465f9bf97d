"""An OpenAI-compatible server on loopback that goes wrong on purpose, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def completion(content: Any) -> bytes:
    """A chat completion with this content."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice]}).encode()


@dataclass
class Reply:
    """What is sent for one request: status, body and headers; how slowly, and what comes before."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0  # seconds between single bytes of the body, which then has no end
    drip_headers: bool = False
    hang: bool = False
    cut: bool = False  # the connection is closed without a word
    endless: bool = False


@dataclass
class Asked:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class FaultyServer:
    """Sends its replies in turn, the last for ever; one reply to listings of models."""

    def __init__(self, replies: list[Reply]) -> None:
        self.replies = replies
        self.models = Reply(json.dumps({"data": [{"id": "nomic-embed-text"}, {"id": "tiny"}]}).encode())
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The bodies of the chat completions that were asked for."""
        return [each.body for each in self.asked if each.method == "POST"]

    def reply(self, asked: Asked) -> Reply:
        if asked.path.endswith("/models"):
            return self.models
        return self.replies[min(len(self.questions), len(self.replies)) - 1]


class _Handler(BaseHTTPRequestHandler):
    """Serves what `told` says."""

    told: FaultyServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(method, self.path, headers, body)
        self.told.asked.append(asked)
        try:
            self._send(self.told.reply(asked))
        except OSError:
            self.close_connection = True  # the other side has had enough

    def _send(self, reply: Reply) -> None:
        if reply.hang:
            self.told.over.wait(20)
            self.close_connection = True
            return
        if reply.cut:
            self.close_connection = True
            return
        if reply.drip_headers:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.told.over.wait(0.05):
                self.wfile.write(b"X-More: more\r\n")
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.drip or reply.endless:
            self.send_header("Connection", "close")
            self.end_headers()
            self._pour(reply)
            return
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _pour(self, reply: Reply) -> None:
        until = time.monotonic() + 20
        while not self.told.over.is_set() and time.monotonic() < until:
            self.wfile.write(b" " * 65536 if reply.endless else b" ")
            self.wfile.flush()
            if reply.drip:
                self.told.over.wait(reply.drip)


@contextmanager
def faulty_server(*replies: Reply) -> Iterator[FaultyServer]:
    """A server with these replies, on a free port, until the block is left."""
    told = FaultyServer(list(replies))

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"told": told}))
    server.daemon_threads = True
    told.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
