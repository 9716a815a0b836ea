"""The HTTP side of the fakes: one server on loopback for all providers."""

import json
import re
import sys
import threading
import zlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from . import anthropic, bedrock, google, ollama, openai, responses, story

PROVIDERS = (openai, responses, ollama, anthropic, google, bedrock)
# Fakes with different seeds start to count somewhere below this.
SEEDS = 400


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; a list of chunks makes it a stream."""

    status: int
    body: object
    content_type: str = "application/json"
    headers: tuple = ()


class Fake:
    """A running server. It keeps the truth about each call in `calls`, and appends it to the file `truth` if given."""

    def __init__(self, seed="", truth=None, port=0):
        self.calls, self.truth = [], truth
        self.first = 1 + zlib.crc32(seed.encode()) % SEEDS if seed else 1
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.fake = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def reply(self, path, body):
        """Answers one API call, or None if no provider has this path."""
        for provider in PROVIDERS:
            for pattern in provider.PATHS:
                match = re.search(pattern, path)
                if match:
                    return self.reply_as(provider, match, body)
        return None

    def reply_as(self, provider, match, body):
        call = provider.read(match, body)
        with self.lock:
            index = len(self.calls)
            answer = story.answer(call, self.first + index, provider.CACHE_WRITE_WORD)
            status, wire, told = provider.write(call, answer, body)
            parameters = parameters_of(provider, body)
            parts = {"reasoning": provider.TELLS_REASONING, "cache_lives": provider.TELLS_CACHE_LIVES}
            self.tell_truth(index, call, answer, parts | {"parameters": parameters} | told)
        if status != 200 or not call.stream:
            return Reply(status, json.dumps(wire).encode(), headers=told.get("headers", ()))
        return Reply(200, wire, provider.STREAM_TYPE)

    def tell_truth(self, index, call, answer, told):
        """Keeps what a reading of the caller's telemetry should come to. `told` has the provider's own words."""
        failed = answer.status != 200
        line = {
            "api": call.api,
            "call_index": index,
            "request_model": call.model,
            "response_model": None if failed else told.get("response_model", answer.response_model),
            "stream": call.stream,
            "parameters": told["parameters"],
            "status": answer.status,
            "input_tokens": answer.input_tokens,
            "cache_read_tokens": answer.cache_read_tokens,
            "cache_write_tokens": answer.cache_write_tokens,
            "cache_write_1h_tokens": answer.cache_write_1h_tokens if told["cache_lives"] else None,
            "audio_input_tokens": answer.audio_input_tokens,
            "output_tokens": answer.output_tokens,
            "reasoning_tokens": answer.reasoning_tokens if told["reasoning"] else None,
            "usage_on_wire": not failed and told.get("usage_on_wire", True),
            "finish_reason": told.get("finish_reason"),
            "response_id": None if failed else told.get("response_id"),
            "service_tier": told.get("service_tier"),
            "tool_calls": answer.tool_calls,
            "system": call.system,
            "messages": call.messages,
            "texts": call.texts,
            "reasoning": told.get("reasoning_text", answer.reasoning),
            "completion": answer.text,
            "error_type": told.get("error_type"),
        }
        self.calls.append(line)
        if self.truth:
            with open(self.truth, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def parameters_of(provider, body):
    """What the request asks of the model, under one name for all providers."""
    asked = body if provider.PARAMETERS_IN is None else body.get(provider.PARAMETERS_IN) or {}
    found = {}
    for name, theirs in provider.PARAMETERS.items():
        found |= {name: asked[key] for key in theirs if asked.get(key) is not None}
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            reply = self.server.fake.reply(unquote(urlsplit(self.path).path), json.loads(raw or b"{}"))
        except Exception as error:
            # A scenario waits for an answer: say why there is none instead of closing the connection.
            print(f"fake: {self.path}: {error!r}", file=sys.stderr)
            reply = Reply(500, json.dumps({"error": {"message": repr(error)}}).encode())
        self.send(reply or Reply(404, b'{"error": {"message": "the fake has no such path"}}'))

    def send(self, reply):
        self.send_response(reply.status)
        self.send_header("content-type", reply.content_type)
        for name, value in reply.headers:
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for chunk in reply.body:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass
