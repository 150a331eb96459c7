"""A rule about the values of one column, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from smoulder.errors import agreed, counted
from smoulder.findings import Finding, Level
from smoulder.loaded import Table


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way in which a row can be at fault."""

    level: Level
    code: str
    column: str
    """Our name."""
    broken: pl.Expr
    """(n_rows,) whether the row breaks the rule; null counts as no."""
    problem: str
    """The sentence; {rows}, {scores} and {days} are the count with its noun, {have} and {are} agree, {of} counts the column's values."""
    advice: str
    readable_only: bool = False
    """Whether rows with a value that could not be read are passed over, as their fault is told already."""


def apply(table: Table, rules: Iterable[Rule]) -> Iterator[Finding]:
    """Yield a finding for each rule that some row breaks."""
    listed = list(rules)
    if not listed or not table.frame.height:
        return
    counts = table.frame.select(rule.broken.sum().alias(str(n)) for n, rule in enumerate(listed)).row(0)
    for rule, n_broken in zip(listed, counts, strict=True):
        if not n_broken:
            continue
        at = table.frame.select(rule.broken.fill_null(False).alias("at"))["at"]
        if rule.readable_only and table.faulty is not None:
            at &= ~table.faulty
        if not at.any():
            continue
        values = table.frame[rule.column]
        problem = rule.problem.format(**_words(int(at.sum()), len(values) - values.null_count()))
        yield table.finding(rule.level, code=rule.code, problem=problem, advice=rule.advice, column=rule.column, at=at)


def _words(n: int, n_values: int) -> dict[str, str]:
    """Return what a rule's sentence may say."""
    words = {f"{noun}s": counted(n, noun) for noun in ("row", "score", "day", "treatment", "patient")}
    return words | {"have": agreed(n, "has", "have"), "are": agreed(n, "is", "are"), "of": f"{n_values:,}"}
