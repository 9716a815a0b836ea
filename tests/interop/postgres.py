"""A PostgreSQL of a test's own, for tests that stop it. Its settings are PostgreSQL's defaults, so it is durable."""

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from processes import START_SECONDS, STOP_SECONDS, eventually, scratch


class Postgres:
    """Reached through a unix socket in its data directory."""

    def __init__(self, data):
        self.data, self.server = Path(data), None
        self.url = f"postgresql:///postgres?host={self.data}&user=postgres"

    def start(self):
        """Starts it, and waits until it answers."""
        command = [program("postgres"), "-D", self.data, "-k", self.data, "-c", "listen_addresses="]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/", **ordinary_user())
        eventually(self.is_ready, START_SECONDS)

    def is_ready(self):
        assert self.server.poll() is None, "PostgreSQL ended at its start"
        status = self.data / "postmaster.pid"  # PostgreSQL tells its state on the last line of this file
        return status.exists() and status.read_text().rstrip().endswith("ready")

    def stop(self):
        """Stops it as `pg_ctl stop --mode fast` does: every session is cut off."""
        self.server.send_signal(signal.SIGINT)
        self.server.wait(STOP_SECONDS)


@contextmanager
def running_postgres():
    with scratch() as directory:
        user = ordinary_user()
        data = Path(directory, "data")
        data.mkdir(0o700)
        if user:
            os.chown(data, user["user"], user["group"])
        initdb = [program("initdb"), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*initdb, "--pgdata", data], check=True, stdout=subprocess.DEVNULL, cwd="/", **user)
        postgres = Postgres(data)
        postgres.start()
        try:
            yield postgres
        finally:
            if postgres.server.poll() is None:
                postgres.stop()


def ordinary_user():
    """How to run a program of PostgreSQL's, which all refuse to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def program(name):
    """The one in PATH, or else of the newest version that Debian's packages brought."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    path = shutil.which(name) or (debian and debian[-1])
    assert path, f"PostgreSQL's {name} is neither in PATH nor in /usr/lib/postgresql"
    return path
