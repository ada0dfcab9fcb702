# SPDX-License-Identifier: GPL-3.0-or-later
"""An endpoint whose chunks are not tokens, and which writes down what it did.

Each answer takes the next shape of its list: several tokens in a chunk, several chunks for a token, chunks without
text, or a failure. `truth` has one Answer for each request, in the order in which they came.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "a-key-of-the-tests"
MODEL = "truth"


@dataclass(frozen=True)
class Shape:
    """How one answer comes: so many tokens in so many chunks with text; or it fails."""

    tokens: int
    chunks: int
    status: int = 200
    # "error": one within the stream; "hangs up": the connection ends; "no usage": its tokens are not told.
    fails: str = ""
    thinks: bool = False  # the first chunks are those of a reasoning parser


# Tokens and chunks have no common measure, so that none can stand for the other.
SHAPES = (
    Shape(24, 5),
    Shape(6, 14),
    Shape(17, 3, thinks=True),
    Shape(1, 1),
    Shape(11, 11),
)
WARM_UP = Shape(1, 1)
FAULTS = (Shape(0, 0, status=500), Shape(9, 4, fails="error"), Shape(9, 4, fails="hangs up"))


@dataclass
class Answer:
    """What was done for one request. Times are the server's, in seconds."""

    shape: Shape
    prompt_tokens: int
    request: dict[str, Any]
    came: float = 0.0
    texts: list[float] = field(default_factory=list)  # when each chunk with text left
    outcome: str = "not finished"
    text: str = ""


class Truth(ThreadingHTTPServer):
    """On a port of its own; `with` ends it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, shapes: tuple[Shape, ...] = SHAPES, pause: float = 0.004, together: int = 0) -> None:
        """No token comes before `together` requests are under way."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.shapes, self.pause, self.together = shapes, pause, together
        self.truth: list[Answer] = []
        self.changed = threading.Condition()
        self.refused = self.under_way = self.most = 0
        self.url = f"http://localhost:{self.server_port}"

    def __enter__(self) -> Truth:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_args: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_args: object) -> None:
        """A client that hangs up is no news."""

    def next(self, request: dict[str, Any]) -> Answer:
        """Notes the request, and decides how it is answered."""
        words = sum(len(str(message["content"]).split()) for message in request.get("messages", []))
        words += len(str(request.get("prompt", "")).split())
        with self.changed:
            # What only opens the way (load_test.html) takes no shape.
            counted = len(self.counted())
            shape = WARM_UP if request.get("max_tokens") == 1 else self.shapes[counted % len(self.shapes)]
            answer = Answer(shape, words + 3, request, time.time())
            self.truth.append(answer)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.changed.notify_all()
            if shape is not WARM_UP:
                self.changed.wait_for(lambda: self.most >= self.together, timeout=60)
        return answer

    def end(self) -> None:
        """A request is no longer under way."""
        with self.changed:
            self.under_way -= 1
            self.changed.notify_all()

    def idle(self) -> bool:
        """Waits until none is under way; False where that does not come."""
        with self.changed:
            return self.changed.wait_for(lambda: not self.under_way, timeout=60)

    def counted(self) -> list[Answer]:
        """All but those that open the way."""
        return [answer for answer in self.truth if answer.shape is not WARM_UP]

    def good(self) -> list[Answer]:
        """The answers that came whole."""
        return [answer for answer in self.counted() if answer.outcome == "whole"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Truth

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "authorization, content-type")
        super().end_headers()

    def log_message(self, *_args: object) -> None:
        pass

    def do_OPTIONS(self) -> None:
        self._whole(200, {})

    def do_GET(self) -> None:
        if self.path == "/v1/models" and self._allowed():
            self._whole(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        elif self.path == "/health":
            self._whole(200, {})
        elif self.path != "/v1/models":
            self._whole(404, {"error": {"message": f"there is no {self.path}"}})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._allowed():
            return
        answer = self.server.next(request)
        try:
            self._answer(answer)
        except OSError:
            answer.outcome = "the client went"
        finally:
            self.server.end()

    def _answer(self, answer: Answer) -> None:
        if answer.shape.status != 200:
            answer.outcome = "refused"
            self._whole(answer.shape.status, {"object": "error", "message": "the engine is dead", "code": 500})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._stream(answer)

    def _allowed(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {KEY}":
            return True
        self.server.refused += 1
        self._whole(401, {"error": "Unauthorized"})
        return False

    def _stream(self, answer: Answer) -> None:
        shape, chat = answer.shape, "chat" in self.path
        if chat:
            self._event(_chunk({"role": "assistant", "content": ""}))
        for number in range(shape.chunks):
            time.sleep(self.server.pause)
            if shape.fails in ("error", "hangs up") and number == shape.chunks // 2:
                self._fail(answer)
                return
            word = f"w{number} "
            answer.texts.append(time.time())
            if not chat:
                self._event({"choices": [{"index": 0, "text": word}]})
            elif shape.thinks and number < 2:
                self._event(_chunk({"reasoning_content": word}))
            else:
                answer.text += word
                self._event(_chunk({"content": word}))
            # An empty chunk, and now and then a comment, which is no event at all.
            self._event(_chunk({"content": ""}) if chat else {"choices": [{"index": 0, "text": ""}]})
            self._send(b": still here\n\n" if number % 3 == 0 else b"")
        self._event(_chunk({}, finish_reason="length") if chat else {"choices": [{"index": 0, "text": ""}]})
        if shape.fails == "no usage":
            self._done(answer)
            return
        used = {"prompt_tokens": answer.prompt_tokens, "completion_tokens": shape.tokens}
        self._event({"choices": [], "usage": used | {"total_tokens": sum(used.values())}})
        self._done(answer)

    def _done(self, answer: Answer) -> None:
        answer.outcome = answer.shape.fails or "whole"
        self._send(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _fail(self, answer: Answer) -> None:
        answer.outcome = answer.shape.fails
        if answer.shape.fails == "error":
            self._event({"error": {"message": "a rank is gone", "type": "InternalServerError", "code": 500}})
            self._send(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def _event(self, data: dict[str, Any]) -> None:
        self._send(b"data: " + json.dumps(data).encode() + b"\n\n")

    def _send(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def _whole(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _chunk(delta: dict[str, str], **more: str) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": None, **more}]}
