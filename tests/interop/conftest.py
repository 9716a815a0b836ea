"""One daemon and one Collector for the whole run."""

import pytest

from processes import running_collector, running_observatory


@pytest.fixture(scope="session")
def observatory():
    with running_observatory() as addresses:
        yield addresses


@pytest.fixture(scope="session")
def collector(observatory):
    with running_collector(observatory) as address:
        yield address


@pytest.fixture
def service(request):
    """A service.name of its own for each test, so that all can share one daemon."""
    return f"interop {request.node.nodeid}"
