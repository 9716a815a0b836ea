"""Plays scenarios live: they export to a real daemon, directly or through a real Collector, and the daemon is asked."""

import argparse
import os
import queue
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # what all interop tests share

from fakes.server import Fake
from live_answers import ask
from live_book import Book
from live_checks import compare
from live_system import running_system, speaks_grpc
from live_table import table
from recorder import question_only
from scenario import all_scenarios

# Programs of hundreds of megabytes, and one that takes Java: played when they are named.
LARGE = ("claude-code", "codex", "gemini-cli", "spring-ai-anthropic", "spring-ai-openai")
# Played without a name: every kind of instrumentation once, and those that differ most.
USUAL = (
    "langfuse-js",
    "langfuse-openai",
    "litellm-callback",
    "openinference-anthropic",
    "openinference-google-genai",
    "openinference-js-openai",
    "openinference-langchain",
    "openinference-litellm",
    "openinference-openai",
    "openinference-openai-agents",
    "openllmetry-anthropic",
    "openllmetry-langchain",
    "openllmetry-openai",
    "openllmetry-openai-agents",
    "opentelemetry-genai-anthropic",
    "opentelemetry-genai-openai",
    "opentelemetry-google-genai",
    "opentelemetry-openai-v2",
    "pydantic-ai-anthropic",
    "pydantic-ai-openai",
    "vercel-6-anthropic",
    "vercel-7-openai",
)


@dataclass
class Result:
    """What came out of the cases of one instrumentation."""

    scenario: object
    cases: int = 0
    books: list = field(default_factory=list)


def play(system, scenario, case):
    """Plays one case and compares."""
    since = time.time()
    with Fake(seed=f"{scenario.name}/{case}") as fake:
        protocol, endpoint = system.way(scenario)
        tools = scenario.play(case, fake.url, endpoint, protocol)
        calls = [question_only(call) for call in fake.calls] if scenario.questions_only else fake.calls
    system.settle()
    return compare(scenario.facts(case) | {"tools": tools, "calls": calls}, ask(system.query, since))


class Run:
    """Plays cases with several workers. Each has a daemon and a Collector of its own, and takes all scenarios of a set
    of packages, so that no two install it."""

    def __init__(self, cases):
        self.results, self.lock = {}, threading.Lock()
        self.sets = queue.SimpleQueue()
        by_set = {}
        for scenario, case in cases:
            self.results.setdefault(scenario.name, Result(scenario))
            by_set.setdefault((scenario.runtime, scenario.set), []).append((scenario, case))
        for cases_of_set in sorted(by_set.values(), key=len, reverse=True):
            self.sets.put(cases_of_set)
        self.failures = []

    def go(self, jobs):
        workers = [threading.Thread(target=self.work) for _ in range(min(jobs, self.sets.qsize()))]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join()
        except KeyboardInterrupt:
            print("live: stops after the cases that play now", file=sys.stderr)
            self.failures.append("interrupted")

    def work(self):
        try:
            with running_system() as system:
                while True:
                    try:
                        cases = self.sets.get_nowait()
                    except queue.Empty:
                        return
                    for scenario, case in cases:
                        if self.failures:
                            return
                        self.play(system, scenario, case)
        except Exception:
            self.failures.append(traceback.format_exc())

    def play(self, system, scenario, case):
        begun = time.monotonic()
        try:
            book = play(system, scenario, case)
        except Exception as error:
            traceback.print_exc()
            book = Book(scenario.name, {}, wrong=[f"{type(error).__name__}: {error}"])
        took = time.monotonic() - begun
        with self.lock:
            result = self.results[scenario.name]
            result.cases += 1
            result.books.append(book)
            verdict = "WRONG" if book.wrong else "ok"
            print(f"{verdict:5} {scenario.name}/{case} ({took:.1f} s): {sum(book.right.values())} right", flush=True)
            for fault in book.wrong:
                print(f"    {fault}", flush=True)


def chosen(names, everything):
    """The named scenarios and cases, `<instrumentation>` or `<instrumentation>/<case>`; the usual ones for none."""
    scenarios = all_scenarios()
    usual = [name for name in scenarios if name not in LARGE] if everything else USUAL
    for name in names or usual:
        instrumentation, _, case = name.partition("/")
        if instrumentation not in scenarios:
            sys.exit(f"live: no scenario {instrumentation}; `live --list` tells which there are")
        scenario = scenarios[instrumentation]
        if case and case not in scenario.cases:
            sys.exit(f"live: {instrumentation} has no case {case}; it has {', '.join(scenario.cases)}")
        for one in [case] if case else scenario.cases:
            yield scenario, one


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every scenario but the large ones, which are named only")
    parser.add_argument("--list", action="store_true", help="tell the scenarios and their cases")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="how many play at once")
    parser.add_argument("name", nargs="*", help="<instrumentation> or <instrumentation>/<case>; default: the usual")
    arguments = parser.parse_args()
    if arguments.list:
        for name, scenario in all_scenarios().items():
            mark = "large" if name in LARGE else "usual" if name in USUAL else ""
            print(f"{name:40} {mark:5} {' '.join(scenario.cases)}")
        return 0
    begun = time.monotonic()
    run = Run(chosen(arguments.name, arguments.all))
    run.go(arguments.jobs)
    print(table(run.results.values(), speaks_grpc), f"in {time.monotonic() - begun:.0f} s")
    for failure in run.failures:
        print(failure, file=sys.stderr)
    return 1 if run.failures or any(book.wrong for result in run.results.values() for book in result.books) else 0


if __name__ == "__main__":
    sys.exit(main())
