"""A gRPC relay between a client and the daemon. It passes requests and answers on as they are, and remembers them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from processes import free_port

THREADS = 8
MESSAGE_BYTES = 64 * 1024 * 1024
OPTIONS = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]


@dataclass(frozen=True)
class Attempt:
    """A request, when it came, and what it was answered."""

    request: bytes = field(repr=False)
    began: float
    ended: float
    code: grpc.StatusCode
    response: bytes
    trailers: dict[str, bytes]

    @property
    def delay(self):
        """The seconds to wait before a retry, by RetryInfo; `None` without it. Some clients read one trailer, some the
        other, so both must say the same."""
        details = Status.FromString(self.trailers.get("grpc-status-details-bin", b""))
        found = [RetryInfo() for detail in details.details if detail.Is(RetryInfo.DESCRIPTOR)]
        for detail, info in zip(details.details, found, strict=True):
            detail.Unpack(info)
        bare = self.trailers.get("google.rpc.retryinfo-bin")
        assert found == ([] if bare is None else [RetryInfo.FromString(bare)])
        return found[0].retry_delay.ToNanoseconds() / 1e9 if found else None


class Relay(grpc.GenericRpcHandler):
    def __init__(self, channel, refusal):
        self.channel, self.refusal = channel, refusal
        self.attempts, self.answered = [], threading.Event()

    def service(self, call):
        forward = self.channel.unary_unary(call.method)

        def handle(request, context):
            began = time.monotonic()
            code, text, trailers, response = self.ask(forward, request, context)
            # Noted before the answer is sent: the client may retry at once.
            trailing = {key: value for key, value in trailers if key.endswith("-bin")}
            self.attempts.append(Attempt(request, began, time.monotonic(), code, response, trailing))
            self.answered.set()
            context.set_trailing_metadata(trailers)
            if code is not grpc.StatusCode.OK:
                context.abort(code, text)
            return response

        return grpc.unary_unary_rpc_method_handler(handle)

    def ask(self, forward, request, context):
        if self.refusal:
            return self.refusal, "refused by the relay", (), b""
        try:
            response, call = forward.with_call(request, timeout=context.time_remaining())
            return grpc.StatusCode.OK, "", call.trailing_metadata(), response
        except grpc.RpcError as error:
            return error.code(), error.details(), error.trailing_metadata(), b""


@contextmanager
def relaying(endpoint, refusal=None):
    """Runs a relay to `endpoint`, or one that answers everything with the status code `refusal`. Gives it and its
    address."""
    address = f"127.0.0.1:{free_port()}"
    with grpc.insecure_channel(endpoint, OPTIONS) as channel, ThreadPoolExecutor(THREADS) as threads:
        relay = Relay(channel, refusal)
        server = grpc.server(threads, handlers=[relay], options=OPTIONS)
        server.add_insecure_port(address)
        server.start()
        try:
            yield relay, address
        finally:
            server.stop(grace=None).wait()
