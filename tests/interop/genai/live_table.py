"""The closing table: for each instrumentation how much of what was told is read right."""

from collections import Counter

import environments

HEAD = ("instrumentation", "version", "way", "cases", "fields right", "wrong", "not told by the instrumentation")


def table(results, speaks_grpc):
    """One line for each instrumentation, and a last one with sums."""
    rows, sums = [], Counter()
    for result in sorted(results, key=lambda result: result.scenario.name):
        right = sum(book.right.total() for book in result.books)
        wrong = sum(len(book.wrong) for book in result.books)
        sums.update(cases=result.cases, right=right, wrong=wrong)
        way = "OTLP/gRPC" if speaks_grpc(result.scenario) else "Collector"
        rows.append((result.scenario.name, version(result.scenario), way, result.cases, right, wrong, untold(result)))
    rows.append(("all", "", "", sums["cases"], sums["right"], sums["wrong"], ""))
    return "\n" + aligned([HEAD, *rows])


def version(scenario):
    """That of the instrumentation, which is the first of the packages."""
    return next(iter(environments.versions(scenario.runtime, scenario.set, scenario.packages).values()))


def untold(result):
    """The fields that it does not tell, in some case at least; after `+` those that only another span of the same call
    tells, after `~` those that it tells in a way of its own."""
    silent = sorted(set().union(*(book.silent for book in result.books)))
    mistold = sorted(set().union(*(book.mistold for book in result.books)))
    beside = sorted(set().union(*(book.beside for book in result.books)))
    return ", ".join([*silent, *(f"+{name}" for name in beside), *(f"~{name}" for name in mistold)])


def aligned(rows):
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
