"""What each stock client does with each kind of answer: whether it retries, when, and what is stored in the end.

All answers but one are the daemon's own, in a situation that makes it give them. A relay in front of it takes notes."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

import grpc
import psycopg
import pytest
from grpc import StatusCode
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

import clients
import database
import handmade
from clients import CLIENTS, EXPORT_SECONDS, Spans
from postgres import running_postgres
from processes import eventually, running_observatory
from relay import Attempt, relaying

# Longer than any client waits by itself after its first attempt, so that waiting as told is told from waiting anyway.
TOLD_MS = 2_000
BUDGET_BYTES = 32 * 1024
DAY_NS = 24 * 60 * 60 * 1_000_000_000

each_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)


@dataclass(frozen=True)
class Seen:
    """The attempts of a client, and their outcome."""

    attempts: list[Attempt]
    exported: bool  # by its own word
    stored: int

    @property
    def codes(self):
        return [attempt.code for attempt in self.attempts]

    @property
    def waits(self):
        """Seconds between an answer and the next attempt."""
        return [after.began - before.ended for before, after in pairwise(self.attempts)]

    def retried_as_told(self):
        """The client retried after every refusal, with the same bytes and not before the delay was over."""
        assert {attempt.request for attempt in self.attempts} == {self.attempts[0].request}
        told = [attempt.delay for attempt in self.attempts[:-1]]
        return all(wait >= delay >= TOLD_MS / 1_000 for wait, delay in zip(self.waits, told, strict=True))


@pytest.fixture
def drive(client, service, tell, request):
    """Lets the client export two spans to a daemon through a relay, and tells what was seen."""

    def drive(observatory, *, start=None, padding=2_000, once_answered=lambda: None, refusal=None):
        now = time.time_ns()
        spans = Spans(service, (now, now if start is None else start), padding)
        with relaying(observatory.ingest, refusal) as (relay, address), ThreadPoolExecutor(1) as thread:
            export = thread.submit(client, address, spans)
            assert relay.answered.wait(EXPORT_SECONDS)
            once_answered()
            exported = export.result(EXPORT_SECONDS)
        seen = Seen(relay.attempts, exported, database.span_count(observatory, service))
        tell(row(request.function.__name__, client.__name__, seen))
        return seen

    return drive


def row(situation, client, seen):
    """`no_room_now  python  exported stored 2  RESOURCE_EXHAUSTED (told 2.55 s), 2.56 s later OK`"""
    steps = answer(seen.attempts[0])
    for attempt, wait in zip(seen.attempts[1:], seen.waits, strict=True):
        steps += f", {wait:.2f} s later {answer(attempt)}"
    end = "exported" if seen.exported else "dropped"
    return f"{situation.removeprefix('test_'):<16} {client:<10} {end:<8} stored {seen.stored}  {steps}"


def answer(attempt):
    if attempt.delay is not None:
        return f"{attempt.code.name} (told {attempt.delay:.2f} s)"
    if rejected := rejected_spans(attempt):
        return f"{attempt.code.name} ({rejected} rejected)"
    return attempt.code.name


def rejected_spans(attempt):
    return ExportTraceServiceResponse.FromString(attempt.response).partial_success.rejected_spans


@pytest.fixture(scope="module")
def roomy():
    with running_observatory(STORAGE__PARTITIONS__DAYS_AHEAD=0, STORAGE__PARTITIONS__MAX_DAYS=2) as observatory:
        yield observatory


@each_client
def test_stored(roomy, drive):
    seen = drive(roomy)
    assert seen.codes == [StatusCode.OK]
    assert seen.exported and seen.stored == 2


@each_client
def test_partial_success(roomy, drive):
    """A span whose day would be one partition too many is left out. No client sends it again, or its neighbour."""
    long_ago = time.time_ns() - 100 * DAY_NS
    with grpc.insecure_channel(roomy.ingest) as channel:
        for number in (1, 2):
            earlier = handmade.spans("earlier", [number], start=long_ago - number * DAY_NS)
            handmade.export(channel, "traces")(earlier)
    seen = drive(roomy, start=long_ago)
    assert seen.codes == [StatusCode.OK]
    assert rejected_spans(seen.attempts[0]) == 1
    assert seen.exported and seen.stored == 1


@each_client
def test_no_room_now(client, full_budget, drive):
    """RESOURCE_EXHAUSTED with RetryInfo, until others are stored."""
    observatory, make_room = full_budget
    seen = drive(observatory, once_answered=make_room)
    assert seen.attempts[0].delay is not None
    if client is clients.javascript:
        assert seen.codes == [StatusCode.RESOURCE_EXHAUSTED]
        assert not seen.exported and seen.stored == 0
    else:
        assert seen.codes == [StatusCode.RESOURCE_EXHAUSTED, StatusCode.OK]
        assert seen.retried_as_told()
        assert seen.exported and seen.stored == 2


@pytest.fixture(scope="module")
def narrow():
    settings = {
        "INGEST__BUDGET_BYTES": BUDGET_BYTES,
        "INGEST__PATIENCE_MS": 50,
        "INGEST__ANSWER_WITHIN_MS": 60_000,
        "INGEST__RETRY_DELAY_MS": TOLD_MS,
    }
    with running_observatory(**settings) as observatory:
        yield observatory


@pytest.fixture
def full_budget(narrow, service):
    """A daemon whose budget others hold, since a lock keeps them from being stored; and the end of that lock."""
    with ExitStack() as stack:
        holder = stack.enter_context(psycopg.connect(narrow.database))
        channel = stack.enter_context(grpc.insecure_channel(narrow.ingest))
        holder.execute("LOCK TABLE trace_spans IN ACCESS EXCLUSIVE MODE")
        others = [
            handmade.export(channel, "traces").future(handmade.spans(f"{service}: others", [number], padding=1_000))
            for number in range(1, BUDGET_BYTES // 1_000)
        ]
        # Once the first has no room, there is none for a larger one.
        eventually(lambda: any(other.done() for other in others))
        yield narrow, holder.commit
        holder.commit()
        codes = [other.code() for other in others]
        assert set(codes) == {StatusCode.OK, StatusCode.RESOURCE_EXHAUSTED}


@each_client
def test_database_away(client, away, drive):
    """UNAVAILABLE with RetryInfo, until PostgreSQL is there again."""
    observatory, postgres = away
    postgres.stop()
    seen = drive(observatory, once_answered=postgres.start)
    assert seen.attempts[0].delay is not None
    if client is clients.javascript:
        assert seen.codes == [StatusCode.UNAVAILABLE]
        assert not seen.exported and seen.stored == 0
    else:
        assert set(seen.codes[:-1]) == {StatusCode.UNAVAILABLE} and seen.codes[-1] is StatusCode.OK
        assert seen.retried_as_told()
        assert seen.exported and seen.stored == 2


@pytest.fixture(scope="module")
def away():
    with running_postgres() as postgres, running_observatory(postgres.url, INGEST__RETRY_DELAY_MS=TOLD_MS) as daemon:
        yield daemon, postgres


@each_client
def test_too_large(client, small, drive):
    """RESOURCE_EXHAUSTED without RetryInfo: for good. Python does not know that, and tries until its deadline."""
    seen = drive(small, padding=5_000)
    assert all(attempt.delay is None for attempt in seen.attempts)
    attempts = 4 if client is clients.python else 1
    assert seen.codes == [StatusCode.RESOURCE_EXHAUSTED] * attempts
    assert not seen.exported and seen.stored == 0


@pytest.fixture(scope="module")
def small():
    with running_observatory(INGEST__MAX_REQUEST_BYTES=8 * 1024) as observatory:
        yield observatory


@each_client
def test_not_protobuf(roomy, drive):
    """INVALID_ARGUMENT. No stock client sends a request that deserves it, so the relay gives this answer."""
    seen = drive(roomy, refusal=StatusCode.INVALID_ARGUMENT)
    assert seen.codes == [StatusCode.INVALID_ARGUMENT]
    assert not seen.exported and seen.stored == 0
