"""All checks, in the order a reader wants them: values, people, visits, relapses, the other tables."""

from __future__ import annotations

from collections.abc import Iterator

from smoulder.checks.columns import column_findings
from smoulder.checks.follow_up import visit_findings
from smoulder.checks.others import other_findings
from smoulder.checks.people import people_findings
from smoulder.checks.relapses import relapse_findings
from smoulder.checks.values import value_findings
from smoulder.findings import Finding
from smoulder.loaded import Loaded


def examine(loaded: Loaded) -> tuple[Finding, ...]:
    """Return everything wrong or odd in typed tables, all at once; nothing where nothing is."""
    return tuple(_found(loaded))


def _found(loaded: Loaded) -> Iterator[Finding]:
    yield from column_findings(loaded)
    for table in loaded.tables.values():
        yield from value_findings(table, loaded.calendar)
    if "visits" in loaded.tables:
        yield from people_findings(loaded)
        yield from visit_findings(loaded)
        yield from relapse_findings(loaded)
    yield from other_findings(loaded)
