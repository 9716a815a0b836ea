"""Starts and stops the programs under test: the daemon and an OpenTelemetry Collector."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTOR_CONFIG = REPOSITORY / "deploy/collector/config.yaml"
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True)
class Collector:
    """Addresses of a running Collector."""

    receiver: str
    metrics: str


@dataclass(frozen=True)
class Observatory:
    """Addresses of a running daemon, as its `ready` line tells them."""

    ingest: str
    query: str
    admin: str
    database: str


@contextmanager
def running(command, stdout=None, **environment):
    """Runs a program; at the end it must obey SIGTERM and exit with 0. Its stderr goes to pytest's capture."""
    # The programs under test must not see the caller's settings for databases and telemetry.
    ours = ("DATABASE_", "DB_", "OBSERVATORY_", "OTEL_", "PG", "REDIS_")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    process = subprocess.Popen(command, stdout=stdout, env=inherited | environment, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            assert process.wait(STOP_SECONDS) == 0, f"{command[0]} ended with {process.returncode}"
        finally:
            process.kill()
            if process.stdout:
                process.stdout.close()


@contextmanager
def scratch():
    """A directory that is removed at the end. Under root PostgreSQL runs as another user, who must get through it."""
    directory = tempfile.mkdtemp(prefix="observatory-interop-")
    os.chmod(directory, 0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextmanager
def running_observatory(database_url=None, **settings):
    """Runs the daemon on ports of its own choice, on this database or a private PostgreSQL. Settings are named as in
    the environment, without OBSERVATORY_."""
    with scratch() as directory:
        command = [os.environ["OBSERVATORY_BIN"], "serve"]
        command += ["--database-url", database_url] if database_url else ["--data-dir", f"{directory}/data"]
        for listener in ("ingest", "query", "admin"):
            command += [f"--{listener}-listen", "127.0.0.1:0"]
        environment = {f"OBSERVATORY_{name}": str(value) for name, value in settings.items()}
        with running(command, stdout=subprocess.PIPE, **environment) as process:
            yield Observatory(**ready_line(process))


def ready_line(process):
    """The `name=value` words of the line that says that the daemon serves."""
    too_late = threading.Timer(START_SECONDS, process.kill)
    too_late.start()
    line = process.stdout.readline()
    too_late.cancel()
    assert line.startswith("ready "), f"the daemon did not become ready: {line!r}"
    return dict(word.split("=", 1) for word in line.split()[1:])


@contextmanager
def running_collector(endpoint, *more_configs, **settings):
    """Runs a Collector on the sample configuration that we ship, which exports to `endpoint`; `more_configs` are laid
    over it, and `settings` are more environment variables for them."""
    collector = Collector(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    command = [os.environ["OTELCOL_BIN"]]
    for config in (COLLECTOR_CONFIG, *more_configs):
        command += ["--config", str(config)]
    environment = settings | {
        "COLLECTOR_LISTEN": collector.receiver,
        "COLLECTOR_METRICS_PORT": collector.metrics.rpartition(":")[2],
        "OBSERVATORY_ENDPOINT": endpoint,
    }
    with running(command, **environment):
        with grpc.insecure_channel(collector.receiver) as channel:
            grpc.channel_ready_future(channel).result(START_SECONDS)
        yield collector


def free_port():
    """A port on which no process listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def eventually(condition, seconds=30):
    """Asks again and again until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)
