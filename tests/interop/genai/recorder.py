"""Plays scenarios against the fakes and writes what their instrumentations exported, with the truth, to recordings/."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from fakes import story
from fakes.server import Fake
from scenario import all_scenarios
from scrub import scrub
from sink import Sink

RECORDINGS = Path(__file__).parent / "recordings"
LARGEST = 60_000


def record(scenario, case):
    """Records one case."""
    with Fake(seed=f"{scenario.name}/{case}") as fake, Sink() as sink:
        tools = scenario.play(case, fake.url, sink.endpoint(scenario.protocol))
        if not sink.requests["traces"] and not sink.requests["logs"]:
            raise RuntimeError(f"{scenario.name}/{case} exported neither spans nor log records")
        calls = [question_only(call) for call in fake.calls] if scenario.questions_only else fake.calls
        truth = scenario.facts(case) | {"tools": tools, "calls": calls}
    if scenario.keeps_spans:
        for request in sink.requests["traces"]:
            keep_spans(request, scenario.keeps_spans)
    folder = RECORDINGS / scenario.name / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    size = sum(write(folder / f"{signal}.binpb", sink.requests[signal]) for signal in ("traces", "logs"))
    write_truth(folder / "truth.json", truth)
    print(f"{scenario.name}/{case}: {len(fake.calls)} calls, {size} bytes")
    if size > LARGEST:
        raise RuntimeError(f"{scenario.name}/{case} is larger than {LARGEST} bytes")


def renew_facts(scenario, case):
    """Writes what the scenario's .toml file tells into the truth of a recording that there is."""
    path = RECORDINGS / scenario.name / case / "truth.json"
    write_truth(path, json.loads(path.read_text()) | scenario.facts(case))


def write_truth(path, truth):
    path.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")


def keep_spans(request, names):
    """Takes all other spans out of a request."""
    for group in request.resource_spans:
        for scope in group.scope_spans:
            kept = [span for span in scope.spans if span.name in names]
            del scope.spans[:]
            scope.spans.extend(kept)


def question_only(call):
    """The truth about a call without what the program itself wrote around the question."""
    return call | {"system": None, "messages": [{"role": "user", "text": story.question_in(call["messages"])}]}


def write(path, requests):
    """Writes requests, each after its length as a varint; no file for none. Returns the file's size."""
    if not requests:
        return 0
    whole = b""
    for request in requests:
        scrub(request)
        data = request.SerializeToString()
        whole += varint(len(data)) + data
    path.write_bytes(whole)
    return len(whole)


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def chosen(names):
    """The scenarios and cases that were named: `<instrumentation>` or `<instrumentation>/<case>`; all for none."""
    scenarios = all_scenarios()
    for name in names or scenarios:
        instrumentation, _, case = name.partition("/")
        scenario = scenarios[instrumentation]
        for one in [case] if case else scenario.cases:
            yield scenario, one


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", action="store_true", help="play nothing: only write anew what the .toml files tell")
    parser.add_argument("name", nargs="*", help="<instrumentation> or <instrumentation>/<case>; default: all")
    failed = 0
    arguments = parser.parse_args()
    for scenario, case in chosen(arguments.name):
        try:
            renew_facts(scenario, case) if arguments.facts else record(scenario, case)
        except Exception as error:
            failed += 1
            print(f"{scenario.name}/{case} FAILED: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
