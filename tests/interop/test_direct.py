"""The SDK exports straight to the daemon: what is acknowledged is stored, so nothing here waits."""

import pytest
from grpc import Compression

from checks import check_logs, check_metrics, check_traces
from telemetry import exported_logs, exported_metrics, exported_traces

compressions = pytest.mark.parametrize(
    "compression", [Compression.NoCompression, Compression.Gzip], ids=["plain", "gzip"]
)


@compressions
def test_traces(observatory, service, compression):
    with exported_traces(observatory.ingest, service, compression) as requests:
        check_traces(observatory, service, requests)


@compressions
def test_metrics(observatory, service, compression):
    with exported_metrics(observatory.ingest, service, compression) as requests:
        check_metrics(observatory, service, requests)


@compressions
def test_logs(observatory, service, compression):
    with exported_logs(observatory.ingest, service, compression) as requests:
        check_logs(observatory, service, requests)
