"""Reads the metrics of a program from its /metrics."""

import re
from urllib.request import urlopen

SAMPLE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="([^"]*)"')


def scrape(address):
    """Samples as (name, labels, value)."""
    with urlopen(f"http://{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    samples = [SAMPLE.match(line) for line in lines if line and not line.startswith("#")]
    return [(sample["name"], dict(LABEL.findall(sample["labels"] or "")), float(sample["value"])) for sample in samples]


def total(samples, name, **labels):
    """The sum of the samples of this name that have these labels; `name` may lack OpenMetrics' `_total`."""
    return sum(
        value
        for found, others, value in samples
        if found.removesuffix("_total") == name and labels.items() <= others.items()
    )
