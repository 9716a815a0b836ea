"""One daemon and one Collector for the tests that need nothing special, and lines that tests print at the end."""

import pytest

from processes import running_collector, running_observatory

FINDINGS = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def observatory():
    with running_observatory() as addresses:
        yield addresses


@pytest.fixture(scope="session")
def collector(observatory):
    with running_collector(observatory.ingest) as collector:
        yield collector.receiver


@pytest.fixture
def service(request):
    """A service.name of its own for each test, so that all can share one daemon."""
    return f"interop {request.node.nodeid}"


@pytest.fixture
def tell(request):
    """Takes lines to be printed when all tests are done, whether they passed or not."""
    return request.config.stash.setdefault(FINDINGS, []).append


def pytest_terminal_summary(terminalreporter, config):
    if findings := config.stash.get(FINDINGS, []):
        terminalreporter.section("findings")
        for line in findings:
            terminalreporter.write_line(line)
