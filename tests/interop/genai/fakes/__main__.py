"""Runs the fakes by hand: prints their address, and appends the truth about each call to a file."""

import argparse
import threading

from .server import Fake

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--truth", help="a file for one JSON line a call")
parser.add_argument("--seed", default="", help="moves all counts; the same seed gives the same counts")
parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
arguments = parser.parse_args()

with Fake(arguments.seed, arguments.truth, arguments.port) as fake:
    print(fake.url, flush=True)
    threading.Event().wait()
