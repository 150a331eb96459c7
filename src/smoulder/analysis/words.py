"""The sentences and small arithmetic that all analyses share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.errors import UsageError, agreed, counted, unknown
from smoulder.estimates import SurvivalOutcome

Z = 1.959963984540054
"""97.5 % point of the normal distribution, for 95 % limits."""

YES_NO = ("no", "yes")
"""Levels of a True/False column, in words."""


def two_sided_p(z: float) -> float:
    """Return the two-sided p value of a normal statistic, exact also far out.

    >>> round(two_sided_p(1.959963984540054), 12)
    0.05
    """
    return math.erfc(abs(z) / math.sqrt(2))


def people(n: int) -> str:
    """Return a number of people in words.

    >>> people(1), people(12)
    ('1 person', '12 people')
    """
    return counted(n, "person", "people")


def nobody(group: str) -> str:
    """Return "Nobody" with the group that it is said of; without it where there is one group, "all".

    >>> nobody("all"), nobody("control")
    ('Nobody', "Nobody in 'control'")
    """
    return "Nobody" if group == "all" else f"Nobody in '{group}'"


def listed(parts: Sequence[str]) -> str:
    """Return parts as "a, b and c".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def need_column(frame: pl.DataFrame, column: str) -> None:
    """Raise UsageError where a frame has no such column."""
    if column not in frame.columns:
        raise UsageError(unknown("column", column, frame.columns))


def need_days(days: Sequence[int], what: str = "at_days") -> tuple[int, ...]:
    """Return days as whole numbers, sorted and each once. Raises UsageError where one is below 0 or no whole number."""
    for day in days:
        if isinstance(day, bool) or int(day) != day or day < 0:
            raise UsageError(f"{what} needs whole days from 0 on; got {day!r}.")
    return tuple(sorted({int(day) for day in days}))


def as_levels(column: pl.Series) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the levels of a column of groups, and the level of each row as (n,) codes; -1 where there is none.

    Levels come in the order of the categories (`pl.Enum`; also those that nobody has), as no and yes, or sorted.
    """
    if isinstance(column.dtype, pl.Enum):
        levels = tuple(column.dtype.categories.to_list())
        text = column.cast(pl.String)
    elif column.dtype == pl.Boolean:
        levels = YES_NO
        text = column.replace_strict({False: "no", True: "yes"}, return_dtype=pl.String, default=None)
    else:
        present = column.drop_nulls()
        text = column.cast(pl.String)
        levels = tuple(dict.fromkeys(present.unique().sort().cast(pl.String).to_list()))
    position = {name: k for k, name in enumerate(levels)}
    codes = np.array([-1 if name is None else position[name] for name in text.to_list()], dtype=np.int64)
    return levels, codes


def grouped(frame: pl.DataFrame, by: str | None) -> tuple[tuple[tuple[str, NDArray[np.bool_]], ...], tuple[str, ...]]:
    """Return the groups of a column that have somebody, who is in each (n,), and a note where rows have no group.

    One group "all" where `by` is None. Raises UsageError where there is no such column.
    """
    if by is None:
        return (("all", np.ones(frame.height, dtype=np.bool_)),), ()
    need_column(frame, by)
    levels, codes = as_levels(frame[by])
    groups = tuple((name, codes == k) for k, name in enumerate(levels) if (codes == k).any())
    n_without = int((codes < 0).sum())
    if not n_without:
        return groups, ()
    return groups, (f"{people(n_without)} without a value of '{by}' {agreed(n_without, 'is', 'are')} in no group.",)


def outcome_notes(outcome: SurvivalOutcome) -> tuple[str, ...]:
    """Return what the reader must know of an outcome: who has no row in it, and its own notes."""
    left = tuple(f"{people(n)} of the study {agreed(n, 'is', 'are')} not in this analysis: {why}." for why, n in outcome.left_out)
    return (*left, *outcome.notes)


def competing_note(outcome: SurvivalOutcome) -> tuple[str, ...]:
    """Return the note that competing events were taken as censored, where there are any."""
    counts = [(name, int((outcome.cause == k).sum())) for k, name in enumerate(outcome.causes, start=1) if k > 1]
    counts = [(name, n) for name, n in counts if n]
    if not counts:
        return ()
    total = sum(n for _, n in counts)
    named = listed([f"{name} ({n:,})" for name, n in counts])
    return (
        f"{people(total)} with a competing event, {named}, {agreed(total, 'was', 'were')} taken as censored at it: the result speaks of a "
        "world without competing events. The cumulative incidence takes them into account.",
    )


def sentence(reason: str) -> str:
    """Return a clause as a sentence.

    >>> sentence("there is nobody")
    'There is nobody.'
    """
    reason = reason.strip()
    return f"{reason[:1].upper()}{reason[1:]}" + ("" if reason.endswith(".") else ".")
