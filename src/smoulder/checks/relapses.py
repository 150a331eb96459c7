"""Relapses, by themselves and beside the visits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.errors import agreed, counted
from smoulder.findings import Finding
from smoulder.loaded import Loaded, Table

NEAR_DAYS = 30
FAR_DAYS = 1826
"""Five years."""


def relapse_findings(loaded: Loaded) -> Iterator[Finding]:
    """Yield what is wrong or odd about the relapses."""
    table = loaded.tables.get("relapses")
    if table is None:
        if "relapses" not in loaded.unusable:
            yield _no_table(loaded.nobody_relapsed)
        return
    if loaded.nobody_relapsed and table.frame.height:
        yield table.finding(
            "error",
            code="relapses-contradict",
            problem=f"It was said that nobody relapsed (nobody_relapsed), but the table has {counted(table.frame.height, 'row')}.",
            advice="Leave one of the two away.",
        )
    if not table.frame.height:
        yield table.finding(
            "notice",
            code="relapses-empty",
            problem="The table of relapses is empty: nobody had a relapse, so every label rests on that.",
            advice="Nothing to do if that is right; without knowledge of relapses, give no table.",
        )
        return
    yield from _twice(table)
    yield from _ends_before(table)
    yield from _beside_visits(table, loaded.tables["visits"])


def _no_table(nobody_relapsed: bool) -> Finding:
    if nobody_relapsed:
        return Finding(
            level="notice",
            code="relapses-none",
            table="relapses",
            column="",
            problem="There is no table of relapses, and it was said that nobody relapsed.",
            advice="Nothing to do if that is right: every worsening is then free of relapses.",
        )
    return Finding(
        level="warning",
        code="relapses-unknown",
        table="relapses",
        column="",
        problem="There is no table of relapses, so no worsening can be called PIRA or RAW: all labels will be undetermined.",
        advice="Give a table of relapses (an empty one if none was recorded), or say nobody_relapsed=True.",
    )


def _twice(table: Table) -> Iterator[Finding]:
    key, rows = table.keys.key, table.keys.positions()
    again = np.flatnonzero(key[1:] == key[:-1]) + 1
    if len(again):
        yield table.finding(
            "notice",
            code="relapse-twice",
            problem=f"{counted(len(again), 'row')} {agreed(len(again), 'repeats', 'repeat')} a relapse of the same "
            "patient and day; it is kept once.",
            advice="Nothing to do.",
            column="date",
            at=pl.Series(rows[again].astype(np.uint32)),
        )
    gap = np.diff(key)
    close = np.flatnonzero((gap > 0) & (gap < NEAR_DAYS)) + 1
    if len(close):
        yield table.finding(
            "notice",
            code="relapses-close",
            problem=f"{counted(len(close), 'relapse')} {agreed(len(close), 'begins', 'begin')} less than {NEAR_DAYS} "
            "days after the one before.",
            advice="They may be one relapse; they are kept as they are.",
            column="date",
            at=pl.Series(rows[close].astype(np.uint32)),
        )


def _ends_before(table: Table) -> Iterator[Finding]:
    if "end_date" not in table.frame.columns:
        return
    wrong = (table.frame["end_date"] < table.frame["date"]).fill_null(False)
    if wrong.any():
        yield table.finding(
            "warning",
            code="relapse-ends-early",
            problem=f"{counted(int(wrong.sum()), 'relapse')} {agreed(int(wrong.sum()), 'ends', 'end')} before the day of onset.",
            advice="Check the two days; only the day of onset is used.",
            column="end_date",
            at=wrong,
        )


def _beside_visits(table: Table, visits: Table) -> Iterator[Finding]:
    """Yield where relapses lie before the first or after the last visit, and the share of visits near one."""
    code = _visit_codes(table, visits)
    key, rows = _in_visit_codes(table, code)
    if not len(key) or not len(visits.keys.key):
        return
    first, last = _follow_up(key, visits.keys.key)
    known = last >= first
    before, after = np.where(known, first - key, 0), np.where(known, key - last, 0)
    yield from _outside(table, rows, before, after)
    yield from _near(table, key, visits.keys.key)


def _visit_codes(table: Table, visits: Table) -> NDArray[np.int64]:
    """Return (n_ids,) the visits' code of each id of the table, -1 for none."""
    place = pl.DataFrame({"id": table.ids}).join(
        pl.DataFrame({"id": visits.ids}).with_row_index("place"), on="id", how="left", maintain_order="left"
    )["place"]
    return place.cast(pl.Int64).fill_null(-1).to_numpy()


def _in_visit_codes(table: Table, code: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return the keys of the relapses under the visits' codes, and their rows; both sorted, strangers left out."""
    keys = table.keys
    own = code[keys.code]
    known = own >= 0
    return (own[known] << 32) | (keys.key[known] & 0xFFFFFFFF), keys.positions()[known]


def _follow_up(key: NDArray[np.int64], visits: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys of the first and the last visit of each relapse's patient; last below first where there is none."""
    owner = key >> 32
    start = np.searchsorted(visits, owner << 32)
    stop = np.searchsorted(visits, (owner + 1) << 32)
    first = visits[np.minimum(start, len(visits) - 1)]
    last = np.where(stop > start, visits[np.maximum(stop - 1, 0)], first - 1)
    return first, last


def _outside(table: Table, rows: NDArray[np.uint32], before: NDArray[np.int64], after: NDArray[np.int64]) -> Iterator[Finding]:
    n_before, n_after = int((before > 0).sum()), int((after > 0).sum())
    if n_before or n_after:
        yield table.finding(
            "notice",
            code="relapse-outside",
            problem=f"{counted(n_before, 'relapse')} before the patient's first visit and {n_after:,} after the "
            "last; they are kept, as rules may look there.",
            advice="Nothing to do.",
            column="date",
        )
    far = np.flatnonzero((before > FAR_DAYS) | (after > FAR_DAYS))
    if len(far):
        yield table.finding(
            "warning",
            code="relapse-far-outside",
            problem=f"{counted(len(far), 'relapse')} {agreed(len(far), 'lies', 'lie')} more than 5 years before the "
            "first or after the last visit of the patient.",
            advice="Check the days.",
            column="date",
            at=pl.Series(rows[far].astype(np.uint32)),
        )


def _near(table: Table, key: NDArray[np.int64], visits: NDArray[np.int64]) -> Iterator[Finding]:
    """Yield the share of visits within 30 days after a relapse."""
    start = np.searchsorted(visits, key)
    stop = np.searchsorted(visits, key + NEAR_DAYS, side="right")
    # Relapses are in order, so a visit near two of them is counted with the first.
    reached = np.concatenate(([0], np.maximum.accumulate(stop)[:-1]))
    near = int(np.maximum(stop - np.maximum(start, reached), 0).sum())
    if near:
        yield table.finding(
            "notice",
            code="visits-near-relapse",
            problem=f"{near:,} of {len(visits):,} visits ({100 * near / len(visits):.1f} %) lie within {NEAR_DAYS} "
            "days after a relapse began.",
            advice="Nothing to do; many definitions pass over such visits.",
        )
