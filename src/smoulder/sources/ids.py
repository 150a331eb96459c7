"""Patient ids: text everywhere, coded once so that rows can be sorted and matched as whole numbers."""

from __future__ import annotations

import polars as pl

from smoulder.errors import SourceError, counted
from smoulder.loaded import INVISIBLE
from smoulder.sources.parsed import MISSING_SPELLINGS, Issue

_MANY_RUNS = 0.5

_NO_VALUE = r"^(#[A-Z/0]+[!?]|=.*)$"
"""Errors and formulas of Excel are nobody's id."""

_OUTER_BLANKS = f"^[{INVISIBLE}]+|[{INVISIBLE}]+$"


def id_texts(series: pl.Series, label: str) -> pl.Series:
    """Return ids as text: 2 and 2.0 are '2'.

    Raises SourceError where a value is more than one thing, or bytes.
    """
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise SourceError(f"{label}: '{series.name}' holds {series.dtype}, which are no ids of patients; give one text or number a row.")
    if series.dtype.is_float():
        whole = series.drop_nans().drop_nulls()
        if (whole == whole.round(0)).all():
            return series.fill_nan(None).cast(pl.Int64, strict=False).cast(pl.String)
    return series.cast(pl.String)


def encoded(ids: pl.Series) -> pl.Series:
    """Return (n_rows,) ids as an Enum of the sorted distinct ones."""
    changed = ids.ne_missing(ids.shift(1))
    if len(ids):
        changed[0] = True
    if changed.sum() > _MANY_RUNS * len(ids):
        return _coded(ids)
    # Grouped rows: hash each run of one patient once instead of every row.
    runs = ids.filter(changed)
    return _coded(runs).gather(changed.cast(pl.UInt32).cum_sum() - 1)


def _coded(ids: pl.Series) -> pl.Series:
    """Return ids as an Enum of the sorted distinct ones, looking each up once: half the time of `unique`, `sort` and `cast`."""
    found = ids.cast(pl.Categorical(pl.Categories.random()))
    distinct = found.drop_nulls().unique()
    # The physical codes of fresh categories are 0, 1, 2, ... in the order of the rows.
    texts = distinct.gather(distinct.to_physical().arg_sort()).cast(pl.String)
    return texts.cast(pl.Enum(texts.sort())).gather(found.to_physical())


def categories_of(ids: pl.Series) -> pl.Series:
    """Return the sorted distinct ids of an Enum column."""
    assert isinstance(ids.dtype, pl.Enum)
    return ids.dtype.categories


def recoded(ids: pl.Series, new: pl.Series) -> pl.Series:
    """Return an Enum column with each id replaced by the one at its place in `new`; null takes it away."""
    codes = new.cast(pl.Enum(new.drop_nulls().unique().sort()))
    return codes.gather(ids.to_physical()).alias(ids.name)


def tidied(tables: dict[str, pl.Series]) -> dict[str, tuple[pl.Series, tuple[Issue, ...]]]:
    """Return the ids of every table without blanks around them, '.0' of numbers and spelled-out missing ids.

    Parameters
    ----------
    tables
        Table -> (n_rows,) Enum of ids.
    """
    return {name: _tidied(ids) for name, ids in tables.items()}


def _tidied(ids: pl.Series) -> tuple[pl.Series, tuple[Issue, ...]]:
    known = categories_of(ids)
    stripped = known.str.replace_all(_OUTER_BLANKS, "")
    missing = stripped.str.to_lowercase().is_in(sorted(MISSING_SPELLINGS)) | stripped.str.contains(_NO_VALUE)
    blank = (stripped != known) & ~missing
    new = pl.select(pl.when(missing).then(None).otherwise(stripped).alias("id"))["id"]
    real = new.drop_nulls()
    decimal = len(real) > 0 and bool(real.str.contains(r"^\d+\.0+$").all())
    if decimal:
        new = new.str.replace(r"\.0+$", "")
    if not (missing.any() or blank.any() or decimal):
        return ids, ()
    issues: list[Issue] = []
    if blank.any():
        at = blank.gather(ids.to_physical()).fill_null(False)
        issues.append(_trimmed(int(at.sum()), at))
    if decimal:
        issues.append(_cut_decimal(real[0]))
    return recoded(ids, new), tuple(issues)


def _trimmed(n_rows: int, at: pl.Series) -> Issue:
    return Issue(
        level="warning",
        code="patient-blanks",
        problem=f"The id has blanks (or signs that cannot be seen) before or after it in {counted(n_rows, 'row')}; they are taken away.",
        advice="Check that the ids now match those of the other tables.",
        at=at,
    )


def _cut_decimal(example: str) -> Issue:
    return Issue(
        level="notice",
        code="patient-decimals",
        problem=f"The ids are written as decimal numbers such as '{example}'; they are read without the '.0'.",
        advice="Nothing to do.",
    )
