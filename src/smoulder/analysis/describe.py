"""Table 1: the people at the start, with what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.analysis.words import as_levels, grouped, need_column
from smoulder.errors import UsageError
from smoulder.estimates import TableOne, Term

FIXED = ("variable", "level", "statistic", "all")
NOT_THERE = "–"
"""What a cell shows where there is nothing to compute from."""
NO_GROUP = "not known"
"""Column of the people without a group, where there are any."""


def table_one(people: pl.DataFrame, variables: Sequence[Term], *, by: str | None = None) -> TableOne:
    """Return `people`, one row a person, in words: all, then each group of column `by`; `variables` say which columns, and in which order.

    Numbers have a mean with standard deviation and a median with quartiles, groups n/N (%) of the people with a value; every variable
    has a row with how many miss it, also where none does. Quartiles are interpolated linearly between ordered values (R's type 7). People
    without a group have the last column, "not known" ("not known (no value)" where a group is called so). Raises UsageError for columns
    that do not exist.

    >>> import polars as pl
    >>> from smoulder.estimates import Term
    >>> people = pl.DataFrame({"patient": ["a", "b", "c"], "age": [30.0, 40.0, None], "sex": ["f", "m", "f"]})
    >>> table = table_one(people, [Term(column="age", title="age", unit="years"), Term(column="sex", title="sex")]).table
    >>> for row in table.rows(): print(*row, sep=" | ")
    people |  | n (%) | 3/3 (100.0 %)
    age (years) |  | mean (SD) | 35.0 (7.1)
    age (years) |  | median (quartiles) | 35.0 (32.5 to 37.5)
    age (years) |  | missing | 1
    sex | f | n (%) | 2/3 (66.7 %)
    sex | m | n (%) | 1/3 (33.3 %)
    sex |  | missing | 0
    """
    groups, notes = grouped(people, by)
    if by is None:
        groups = ()
    everyone = np.ones(people.height, dtype=np.bool_)
    columns = [("all", everyone), *groups]
    clash = [name for name, _ in groups if name in FIXED]
    if clash:
        raise UsageError(f"A group of '{by}' is called '{clash[0]}', as a column of the table is; give it another name.")
    without = everyone & ~sum((mask for _, mask in groups), ~everyone)
    if by is not None and without.any():
        columns.append((f"{NO_GROUP} (no value)" if NO_GROUP in dict(groups) else NO_GROUP, without))
    rows: list[tuple[str, ...]] = []

    def add(variable: str, level: str, statistic: str, cells: Sequence[str]) -> None:
        rows.append((variable, level, statistic, *cells))

    add("people", "", "n (%)", [_share(int(mask.sum()), people.height) for _, mask in columns])
    for variable in variables:
        need_column(people, variable.column)
        column = people[variable.column]
        title = f"{variable.title} ({variable.unit})" if variable.unit else variable.title
        if column.dtype.is_numeric():
            values = column.cast(pl.Float64).fill_null(math.nan).to_numpy()
            known = ~np.isnan(values)
            if np.isinf(values).any():
                raise UsageError(f"Column '{variable.column}' has infinite values; make them missing or leave those people out.")
            decimals = _decimals(values[known])
            add(title, "", "mean (SD)", [_mean(values[mask & known], decimals) for _, mask in columns])
            add(title, "", "median (quartiles)", [_median(values[mask & known], decimals) for _, mask in columns])
        else:
            levels, codes = ((), np.full(people.height, -1)) if column.dtype == pl.Null else as_levels(column)
            known = codes >= 0
            for k, level in enumerate(levels):
                cells = [_share(int((mask & (codes == k)).sum()), int((mask & known).sum())) for _, mask in columns]
                add(title, level, "n (%)", cells)
        add(title, "", "missing", [f"{int((mask & ~known).sum()):,}" for _, mask in columns])
    if not people.height:
        notes += ("There is nobody, so there is nothing to describe.",)
    schema = {name: pl.String() for name in ("variable", "level", "statistic", *(name for name, _ in columns))}
    return TableOne(
        title="People at the start",
        method=(
            "Numbers are described by mean (standard deviation) and median (quartiles, interpolated linearly between ordered values), "
            "groups by n/N (%) of the people with a value."
        ),
        table=pl.DataFrame(rows, schema=schema, orient="row"),
        notes=notes,
    )


def _share(n: int, out_of: int) -> str:
    return f"{n:,}/{out_of:,} ({100 * n / out_of:.1f} %)" if out_of else f"0/0 ({NOT_THERE})"


def _decimals(values: NDArray[np.float64]) -> int:
    """Return how many decimals show a variable with at least two digits of its standard deviation; the same in all groups."""
    spread = float(np.sort(values).std()) if values.size > 1 else 0.0
    return min(4, max(1, 1 - math.floor(math.log10(spread)))) if spread > 0 else 1


def _mean(values: NDArray[np.float64], decimals: int) -> str:
    if not values.size:
        return NOT_THERE
    # Sorted, so that the sum does not depend on the order of the rows.
    ordered = np.sort(values)
    deviation = f"{ordered.std(ddof=1):.{decimals}f}" if ordered.size > 1 else NOT_THERE
    return f"{ordered.mean():.{decimals}f} ({deviation})"


def _median(values: NDArray[np.float64], decimals: int) -> str:
    if not values.size:
        return NOT_THERE
    low, middle, high = (f"{value:.{decimals}f}" for value in np.quantile(values, [0.25, 0.5, 0.75]))
    return f"{middle} ({low} to {high})"
