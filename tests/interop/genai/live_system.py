"""A daemon and a Collector for one worker: where scenarios export to, and when all that they exported is settled."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import environments
import psycopg
from processes import Collector, Observatory, eventually, free_port, running_collector, running_observatory
from query import QueryClient
from scrape import scrape, total

HERE = Path(__file__).parent
OVERLAY = HERE / "live_collector.yaml"
GRPC_EXPORTER = "opentelemetry-exporter-otlp-proto-grpc"
SIGNALS = ("spans", "log_records")
ARRIVE_SECONDS = 20
# Log records of spans that never come wait for hours; the rest is settled at once.
SETTLE_SECONDS = 5
SETTINGS = {
    "LOG": "warn",
    "STORAGE__SETTLING__INTERVAL_MS": 50,
    "STORAGE__SETTLING__DELAY_MS": 50,
    "STORAGE__SETTLING__BACKOFF_MS": 200,
}


@dataclass(frozen=True)
class System:
    """A running daemon behind a running Collector."""

    observatory: Observatory
    collector: Collector
    http: str
    langfuse: str
    query: QueryClient

    def way(self, scenario):
        """How this scenario exports, as the protocol and the endpoint: straight to the daemon where it can."""
        if speaks_grpc(scenario):
            return "grpc", f"http://{self.observatory.ingest}"
        has_own_path = scenario.runtime == "node" and "@langfuse/otel" in scenario.packages
        protocol = scenario.protocol if scenario.protocol != "grpc" else "http/protobuf"
        return protocol, f"http://{self.langfuse if has_own_path else self.http}"

    def settle(self):
        """Waits until all that the Collector took is stored, and no trace waits to be settled. What goes straight to
        the daemon is stored when it is answered."""
        eventually(self.is_handed_on, ARRIVE_SECONDS)
        deadline = time.monotonic() + SETTLE_SECONDS
        with psycopg.connect(self.observatory.database, autocommit=True) as connection:
            while connection.execute("SELECT count(*) FROM llm_settling").fetchone()[0]:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)

    def is_handed_on(self):
        samples = scrape(self.collector.metrics)
        return all(
            total(samples, f"otelcol_receiver_accepted_{signal}") == total(samples, f"otelcol_exporter_sent_{signal}")
            for signal in SIGNALS
        )


def speaks_grpc(scenario):
    """Whether a scenario can export over OTLP/gRPC: its packages have the exporter."""
    if scenario.runtime != "python":
        return False
    requirements = (environments.HERE / "requirements" / f"{scenario.set}.txt").read_text()
    return any(line.startswith(f"{GRPC_EXPORTER}==") for line in requirements.splitlines())


@contextmanager
def running_system():
    http, langfuse = (f"127.0.0.1:{free_port()}" for _ in range(2))
    with (
        running_observatory(**SETTINGS) as observatory,
        running_collector(
            observatory.ingest, OVERLAY, COLLECTOR_HTTP=http, COLLECTOR_LANGFUSE=langfuse
        ) as collector,
    ):
        yield System(observatory, collector, http, langfuse, QueryClient(observatory.query))
