"""A steady load of spans, points and log records, each of them numbered, so that each can be looked for."""

import threading
import time
from collections import Counter

import grpc
import psycopg

import handmade

TICK_SECONDS = 0.05
RECORDS = 20  # of each signal, in each tick
MAKERS = {"traces": handmade.spans, "metrics": handmade.points, "logs": handmade.records}
# The numbers that are stored, each as often as it is.
STORED = {
    "traces": "SELECT ('x' || encode(span_id, 'hex'))::bit(64)::bigint FROM trace_spans WHERE service_name = %s",
    "metrics": "SELECT value_int FROM metric_data_points point JOIN metric_series series ON series.id = series_id "
    "JOIN resources ON resources.id = resource_id WHERE service_name = %s",
    "logs": "SELECT body_text::bigint FROM logs WHERE service_name = %s",
}


class Load(threading.Thread):
    """Exports at a steady rate until it is told to finish. `sent` has how many records of each signal were taken, which
    have the numbers from 1 on."""

    def __init__(self, endpoint, service):
        super().__init__()
        self.endpoint, self.service = endpoint, service
        self.sent, self.finished = 0, threading.Event()

    def run(self):
        with grpc.insecure_channel(self.endpoint) as channel:
            exports = {signal: handmade.export(channel, signal) for signal in MAKERS}
            due = time.monotonic()
            # The rate is the subject here: a tick that is late is followed by the next one at its own time.
            while not self.finished.wait(max(0, due - time.monotonic())):
                due += TICK_SECONDS
                numbers = range(self.sent + 1, self.sent + RECORDS + 1)
                for signal, make in MAKERS.items():
                    exports[signal](make(self.service, numbers))
                self.sent += RECORDS

    def finish(self):
        """Ends it; everything that it sent was taken."""
        self.finished.set()
        self.join()
        return self.sent


def stored(database, service):
    """The stored numbers of each signal."""
    with psycopg.connect(database) as connection:
        return {
            signal: Counter(number for (number,) in connection.execute(query, [service]))
            for signal, query in STORED.items()
        }
