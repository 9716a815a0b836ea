"""PostgreSQL goes away in the middle of a steady load, and comes back. A stock Collector stands in front: it takes
everything, keeps what is refused, and sends it again until it is stored. Nothing is lost, and nothing stored twice."""

import os
import time

import pytest

from load import Load, stored
from postgres import running_postgres
from processes import eventually, running_collector, running_observatory
from scrape import scrape, total

OUTAGE_SECONDS = 60 if os.environ.get("OBSERVATORY_TEST_FAULTS") == "full" else 8
STEADY_SECONDS = 3  # of load before the outage, and after it
CATCH_UP_SECONDS = 120
# What the Collector calls the records of each signal.
NOUNS = {"traces": "spans", "metrics": "metric_points", "logs": "log_records"}


@pytest.fixture
def postgres():
    with running_postgres() as postgres:
        yield postgres


@pytest.fixture
def observatory(postgres):
    with running_observatory(postgres.url) as observatory:
        yield observatory


@pytest.fixture
def collector(observatory):
    with running_collector(observatory.ingest) as collector:
        yield collector


def test_outage(postgres, observatory, collector, service, tell):
    load = Load(collector.receiver, service)
    load.start()
    try:
        # How long it all lasts is the subject here.
        time.sleep(STEADY_SECONDS)
        eventually(lambda: all(stored(observatory.database, service).values()))
        postgres.stop()
        time.sleep(OUTAGE_SECONDS)
        postgres.start()
        time.sleep(STEADY_SECONDS)
    finally:
        sent = load.finish()

    counted = {signal: CollectorCounts(collector, noun) for signal, noun in NOUNS.items()}
    eventually(lambda: all(counts.settled() for counts in counted.values()), CATCH_UP_SECONDS)
    found, ours = stored(observatory.database, service), scrape(observatory.admin)
    for signal, counts in counted.items():
        tell(figures(signal, sent, counts, found[signal], OurCounts(ours, signal)))

    for signal, counts in counted.items():
        assert counts.accepted() == counts.exported() == sent
        assert counts.failed() == 0
        assert set(found[signal]) == set(range(1, sent + 1)), "something was lost"
        assert found[signal].total() == sent, "something was stored twice"
        OurCounts(ours, signal).check(sent)


class CollectorCounts:
    """What the Collector itself counted of one signal."""

    def __init__(self, collector, noun):
        self.collector, self.noun = collector, noun

    def count(self, name):
        return int(total(scrape(self.collector.metrics), f"otelcol_{name}_{self.noun}"))

    def accepted(self):
        return self.count("receiver_accepted")

    def exported(self):
        return self.count("exporter_sent")

    def failed(self):
        return self.count("exporter_send_failed") + self.count("exporter_enqueue_failed")

    def settled(self):
        return self.exported() + self.failed() >= self.accepted()


class OurCounts:
    """What the daemon itself counted of one signal."""

    def __init__(self, samples, signal):
        def count(outcome):
            return int(total(samples, f"observatory_ingest_records_{outcome}", signal=signal))

        self.received, self.stored, self.duplicate = count("received"), count("stored"), count("duplicate")
        self.rejected, self.refused, self.late = count("rejected"), count("refused"), count("late")

    def check(self, sent):
        assert self.received == self.stored + self.duplicate + self.rejected + self.refused
        # A late request is stored after its client was refused: it counts as refused, and its retry as duplicate.
        assert self.stored + self.late == sent
        assert self.rejected == 0
        assert self.refused > 0, "the outage was not felt"


def figures(signal, sent, counts, found, ours):
    twice = found.total() - len(found)
    return (
        f"outage of {OUTAGE_SECONDS} s, {signal:<7} sent {sent}, accepted {counts.accepted()}, "
        f"exported {counts.exported()}, failed {counts.failed()}, stored {len(found)}, duplicates {twice}, "
        f"lost {sent - len(found)}; by the daemon: received {ours.received} = stored {ours.stored} + duplicate "
        f"{ours.duplicate} + rejected {ours.rejected} + refused {ours.refused}; late {ours.late}"
    )
