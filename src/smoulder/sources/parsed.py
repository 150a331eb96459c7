"""What comes of reading one column: its values, how they were written, and what was wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from smoulder.errors import counted
from smoulder.findings import Level
from smoulder.terms import Calendar

MISSING_SPELLINGS = frozenset(("", "na", "n/a", "nan", "null", ".", "-", "--", "none", "#n/a", "#na", "<na>", "nat", "n.a.", "na.", "nil"))
"""Texts that stand for "nothing was written here", in lower case."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """A finding before it knows its table."""

    level: Level
    code: str
    problem: str
    advice: str
    at: pl.Series | None = None
    """(n_rows,) Boolean; None where the whole column is meant."""


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """One column, read."""

    values: pl.Series | None
    """(n_rows,) null where missing or unreadable; None where the column cannot be used at all."""
    format: str = ""
    calendar: Calendar | None = None
    issues: tuple[Issue, ...] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The distinct texts of a column, so that each is judged once."""

    column: pl.Series
    """(n_rows,) stripped texts, null where missing."""
    unique: pl.Series
    """(n_unique,) the distinct ones, without null."""
    count: pl.Series
    """(n_unique,) rows of each."""
    missing: tuple[tuple[str, int], ...]
    """How missing values are spelled, with the number of rows; empty cells are left out."""

    def spread(self, values: pl.Series) -> pl.Series:
        """Return (n_rows,) the values of the distinct texts, one a row."""
        if len(self.unique) == 0:
            return pl.repeat(None, len(self.column), dtype=values.dtype, eager=True)
        return self.column.replace_strict(self.unique, values, default=None, return_dtype=values.dtype)

    def rows(self, chosen: pl.Series) -> pl.Series:
        """Return (n_rows,) Boolean: whether the row's text is one of the `chosen` distinct ones."""
        return self.column.is_in(self.unique.filter(chosen).implode()).fill_null(False)

    def n_rows(self, chosen: pl.Series) -> int:
        """Return the number of rows with one of the `chosen` distinct texts."""
        return int(self.count.filter(chosen).sum())

    def examples(self, chosen: pl.Series, n: int = 3) -> str:
        """Return a few of the `chosen` distinct texts, quoted."""
        return ", ".join(f"'{text}'" for text in self.unique.filter(chosen).sort().head(n))


def texts_of(series: pl.Series) -> Texts:
    """Return the distinct texts of a column, with missing spellings and outer blanks taken away."""
    column = series.cast(pl.String).str.strip_chars()
    # Counted in no order: sorted, so that the same table is always told of in the same words.
    counts = column.alias("text").drop_nulls().value_counts(name="n").sort("text")
    is_missing = counts["text"].str.to_lowercase().is_in(sorted(MISSING_SPELLINGS))
    spelled = counts.filter(is_missing)
    known = counts.filter(~is_missing)
    if spelled.height:
        column = pl.select(pl.when(column.is_in(spelled["text"].implode())).then(None).otherwise(column).alias("text"))["text"]
    return Texts(
        column=column,
        unique=known["text"],
        count=known["n"],
        missing=tuple((text, n) for text, n in spelled.select("text", "n").iter_rows() if text),
    )


def missing_issue(missing: tuple[tuple[str, int], ...]) -> tuple[Issue, ...]:
    """Return the notice about how missing values are spelled, if any are."""
    if not missing:
        return ()
    spelled = ", ".join(f"'{text}' {counted(n, 'time')}" for text, n in missing)
    return (
        Issue(
            level="notice",
            code="missing-spelled",
            problem=f"Missing values are written {spelled}; they are read as missing.",
            advice="Nothing to do, unless one of them is a real value.",
        ),
    )
