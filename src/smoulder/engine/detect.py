"""`detect`: the events of a cohort under one or many definitions, by the compiled kernel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.engine.encoding import N_COLUMNS, O_RULE, Pack, Rules, encode
from smoulder.engine.pack import pack_measure, seen_days
from smoulder.engine.tabulate import Rows, event_frame, unconfirmed_frame
from smoulder.errors import DataError
from smoulder.events import Events
from smoulder.provenance import provenance_of
from smoulder.rulebook import resolve
from smoulder.rulebook.model import Definition, MeasureRule
from smoulder.tables import Cohort
from smoulder.terms import MISSING, Measure

CHUNK_VISITS = 1 << 16
"""Visits scanned at a time: 65,536 keep a chunk's rows in the cache (bench/kernel.py)."""
DAYS_A_YEAR = 365.25


def detect(cohort: Cohort, definitions: Definition | str | Sequence[Definition | str], *, threads: int | None = None) -> Events:
    """Find every event that one or more definitions see in a cohort.

    Parameters
    ----------
    cohort
        The tables, as `read` gives them.
    definitions
        A definition, a catalogue key, or several of either; several are done in one pass.
    threads
        How many threads to use; None: one a core. The result is the same, byte for byte.

    Returns
    -------
    Events, one row an event; all columns are there also with none.

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`, or a definition starts at a time zero that they lack.
    UsageError
        A definition needs a measure that the visits do not have, or there is no definition of that key.

    Examples
    --------
    >>> from smoulder import detect, read
    >>> visits = {"patient": ["A"] * 4, "date": ["2020-01-01", "2020-04-01", "2020-07-01", "2020-10-01"], "edss": [2.0, 2.0, 3.0, 3.0]}
    >>> events = detect(read(visits, nobody_relapsed=True), "cdw-12w")
    >>> events.table.select("patient", "kind", "label", "onset_score").row(0)
    ('A', 'worsening', None, 3.0)
    """
    cohort.require_sound()
    chosen = resolve(definitions)
    require_time_zero(cohort, chosen)
    found = [scan_measure(cohort, chosen, measure, users, threads) for measure, users in by_measure(chosen).items()]
    assessed = assessable_patients(cohort, chosen, found)
    return Events(
        table=event_frame(cohort, chosen, found, threads),
        unconfirmed=unconfirmed_frame(cohort, chosen, found, threads),
        follow_up=follow_up_frame(cohort, assessed),
        assessable=assessable_frame(cohort, chosen, assessed),
        definitions=chosen,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, chosen),
    )


def require_time_zero(cohort: Cohort, definitions: Sequence[Definition]) -> None:
    """Raise DataError where a definition starts at time zero and no patient has one."""
    needing = [definition.key for definition in definitions if definition.baseline.start == "nearest time zero"]
    if needing and (cohort.time_zero is None or bool((cohort.time_zero == MISSING).all())):
        raise DataError(
            f"The baseline of {', '.join(needing)} is the visit nearest time zero, and no patient has one. "
            "Add a column time_zero to the patients table (such as the day of randomisation)."
        )


Users = list[tuple[int, MeasureRule]]
"""The definitions that use a measure, by number, each with its rule for it."""


def by_measure(definitions: Sequence[Definition]) -> dict[Measure, Users]:
    """Return, for each measure, the definitions that use it."""
    users: dict[Measure, Users] = {}
    for number, definition in enumerate(definitions):
        for rule in definition.measures:
            users.setdefault(rule.spec(), []).append((number, rule))
    return users


def scan_measure(cohort: Cohort, definitions: Sequence[Definition], measure: Measure, users: Users, threads: int | None) -> Rows:
    """Scan one measure of all patients under all definitions that use it."""
    pack = pack_measure(cohort, measure)
    low, high = (int(pack.score.min()), int(pack.score.max())) if len(pack.score) else (0, 0)
    rules = encode([(definitions[number], rule) for number, rule in users], low, high)
    assessable = np.zeros((cohort.n_patients, len(users)), dtype=np.bool_)
    rows = scan(pack, rules, assessable, threads)
    numbers = np.array([number for number, _ in users], dtype=np.int32)
    places = np.array([definitions[number].measures.index(rule) for number, rule in users], dtype=np.int32)
    return Rows(
        measure=measure,
        pack=pack,
        rows=rows,
        definition=numbers[rows[:, O_RULE]],
        place=places[rows[:, O_RULE]],
        assessable=assessable,
        numbers=numbers,
    )


def scan(pack: Pack, rules: Rules, assessable: NDArray[np.bool_], threads: int | None) -> NDArray[np.int32]:
    """Run the kernel over chunks of patients, side by side; the chunks come back in the order of the patients."""
    from smoulder.engine.kernel.scan import scan_chunk

    ends = chunk_ends(pack.first)
    n_slots = rules.window.shape[1]

    def run(chunk: tuple[int, int]) -> NDArray[np.int32]:
        start, end = chunk
        room = int(pack.first[end] - pack.first[start]) * len(rules.setting) + 1
        out = np.empty((room, N_COLUMNS + 2 * n_slots), dtype=np.int32)
        return out[: scan_chunk(pack, rules, start, end, out, assessable, scratch(pack, start, end))].copy()

    chunks = list(pairwise([0, *ends]))
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        parts = list(pool.map(run, chunks))
    return np.concatenate(parts) if parts else np.empty((0, N_COLUMNS + 2 * n_slots), dtype=np.int32)


def scratch(pack: Pack, start: int, end: int) -> tuple[NDArray[np.generic], ...]:
    """Return room for one patient at a time: days since and until a relapse, scores, eligible visits, PIRA visits."""
    longest = int(np.diff(pack.first[start : end + 1]).max())
    return tuple(np.empty(longest, dtype) for dtype in (np.int32, np.int32, np.int32, np.int64, np.bool_))


def chunk_ends(first: NDArray[np.int64]) -> list[int]:
    """Return the patient after the last one of each chunk of about CHUNK_VISITS visits."""
    n_patients = len(first) - 1
    if n_patients == 0:
        return []
    marks = np.arange(CHUNK_VISITS, int(first[-1]), CHUNK_VISITS)
    ends = np.unique(np.append(np.searchsorted(first, marks), n_patients))
    return [int(end) for end in ends if end > 0]


def assessable_patients(
    cohort: Cohort, definitions: Sequence[Definition], found: Sequence[Rows]
) -> dict[tuple[int, str], NDArray[np.bool_]]:
    """Return, for each definition (by number) and measure, which patients had a baseline and a later visit; "any" joins measures."""
    assessed: dict[tuple[int, str], NDArray[np.bool_]] = {}
    for number in range(len(definitions)):
        assessed[number, "any"] = np.zeros(cohort.n_patients, dtype=np.bool_)
    for rows in found:
        for column, number in enumerate(rows.numbers.tolist()):
            assessed[number, rows.measure.key] = rows.assessable[:, column]
            assessed[number, "any"] |= rows.assessable[:, column]
    return assessed


def assessable_frame(
    cohort: Cohort, definitions: Sequence[Definition], assessed: dict[tuple[int, str], NDArray[np.bool_]]
) -> pl.DataFrame:
    """Return one row a definition and measure: how many patients could be assessed, and their person-years."""
    start, end = seen_days(cohort)
    follow_up = np.where(start == MISSING, 0, end.astype(np.int64) - start)
    rows = [
        (definitions[number].key, key, int(who.sum()), int(follow_up[who].sum()) / DAYS_A_YEAR)
        for (number, key), who in sorted(assessed.items(), key=lambda item: item[0])
    ]
    schema = {"definition": pl.String, "measure": pl.String, "patients": pl.Int64, "person_years": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def measured_visits(cohort: Cohort, key: str) -> NDArray[np.int32]:
    """Return (n_patients,) how many visits have a measure."""
    measured = cohort.visits.scores[key] != MISSING
    if measured.all():
        return np.diff(cohort.visits.first).astype(np.int32)
    before = np.zeros(cohort.n_visits + 1, dtype=np.int64)
    np.cumsum(measured, out=before[1:])
    return np.diff(before[cohort.visits.first]).astype(np.int32)


def follow_up_frame(cohort: Cohort, assessed: dict[tuple[int, str], NDArray[np.bool_]]) -> pl.DataFrame:
    """Return one row a patient: days, counts, and for each measure its visits and whether it could ever be assessed."""
    start, end = seen_days(cohort)
    columns: dict[str, object] = {
        "patient": cohort.patients,
        "start_day": pl.Series(start).set(pl.Series(start == MISSING), None),
        "end_day": pl.Series(end).set(pl.Series(end == MISSING), None),
        "visits": np.diff(cohort.visits.first).astype(np.int32),
        "relapses": np.diff(cohort.relapses.first).astype(np.int32),
    }
    for key in sorted(cohort.visits.scores):
        columns[f"{key}_visits"] = measured_visits(cohort, key)
    for key in sorted({measure for _, measure in assessed if measure != "any"}):
        columns[f"{key}_assessable"] = np.logical_or.reduce([who for (_, measure), who in assessed.items() if measure == key])
    return pl.DataFrame(columns)
