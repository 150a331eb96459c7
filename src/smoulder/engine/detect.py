"""`detect`: the events of a cohort under one or many definitions, by the compiled kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.engine.encoding import AFTER_LAST, N_COLUMNS, O_REASON, O_RULE, SECOND, Pack, Rules, encode
from smoulder.engine.pack import pack_measure, seen_days
from smoulder.engine.tabulate import UNCONFIRMED_COLUMNS, Rows, event_parts, stacked, unconfirmed_parts
from smoulder.errors import DataError
from smoulder.events import Events
from smoulder.provenance import provenance_of
from smoulder.rulebook import Grid, resolve
from smoulder.rulebook.model import Definition, MeasureRule
from smoulder.tables import Cohort
from smoulder.terms import MISSING, Measure

if TYPE_CHECKING:
    from smoulder.engine.kernel.people import Scratch

CHUNK_VISITS = 1 << 16
"""Visits scanned at a time: 65,536 keep a chunk's rows in the cache (bench/kernel.py)."""
FEWEST_CHUNK_VISITS = 1 << 13
"""Visits scanned at a time under many definitions, whose rows share the cache."""
DAYS_A_YEAR = 365.25


def detect(
    cohort: Cohort, definitions: Definition | Grid | str | Sequence[Definition | Grid | str], *, threads: int | None = None
) -> Events:
    """Find every event that one or more definitions see in a cohort.

    Parameters
    ----------
    cohort
        The tables, as `read` gives them.
    definitions
        A definition, a catalogue key, the key of a grid (all of its definitions), or several of these; several are done in one pass.
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
    found = [rows for measure, users in by_measure(chosen).items() for rows in scan_measure(cohort, chosen, measure, users, threads)]
    assessed = assessable_patients(cohort, chosen, found)
    events, unconfirmed = event_parts(cohort, chosen, found), unconfirmed_parts(cohort, chosen, found)
    # The hash of the input, which provenance has, takes as long as a table, so it is made beside them.
    others = (lambda: cohort.sha256, partial(follow_up_frame, cohort, assessed))
    _, follow_up, *tables = side_by_side((*others, *events, *unconfirmed), threads if cohort.n_visits > 4 * CHUNK_VISITS else 1)
    return Events(
        table=stacked(tables[: len(events)]),
        unconfirmed=stacked(tables[len(events) :]),
        follow_up=follow_up,
        assessable=assessable_frame(cohort, chosen, assessed),
        definitions=chosen,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, chosen),
    )


def side_by_side(jobs: Sequence[Callable[[], Any]], threads: int | None) -> list[Any]:
    """Return what the jobs give, in their order; None: one thread a core. Starting threads costs more than a small job."""
    n_threads = min(threads or os.cpu_count() or 1, len(jobs))
    if n_threads < 2:
        return [job() for job in jobs]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(lambda job: job(), jobs))


def require_time_zero(cohort: Cohort, definitions: Sequence[Definition]) -> None:
    """Raise DataError where a definition starts at a day that no patient has."""
    columns = {"time zero": "time_zero", "diagnosis": "diagnosis_date", "onset of the disease": "onset_date"}
    for zero, column in columns.items():
        starts = ("nearest time zero", "first after time zero")
        needing = [d.key for d in definitions if d.baseline.start in starts and d.baseline.zero == zero]
        days = cohort.zero_days(zero)
        if needing and (days is None or bool((days == MISSING).all())):
            meaning = "time zero" if zero == "time zero" else f"the {zero}"
            example = " (such as the day of randomisation)" if zero == "time zero" else ""
            raise DataError(
                f"The baseline of {', '.join(needing)} starts at {meaning}, and no patient has one. "
                f"Add a column {column} to the patients table{example}."
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


def scan_measure(cohort: Cohort, definitions: Sequence[Definition], measure: Measure, users: Users, threads: int | None) -> list[Rows]:
    """Scan one measure of all patients under all definitions that use it; return what each of them found."""
    led = any(definitions[number].confirmation.leading_system for number, _ in users) and measure.key == "edss"
    pack = pack_measure(cohort, measure, systems=led)
    low, high = (int(pack.score.min()), int(pack.score.max())) if len(pack.score) else (0, 0)
    rules = encode([(definitions[number], rule) for number, rule in users], low, high)
    assessable = np.zeros((cohort.n_patients, len(users)), dtype=np.bool_)
    chunks = scan(pack, rules, assessable, threads)
    return [
        Rows(
            measure=measure,
            pack=pack,
            definition=number,
            place=definitions[number].measures.index(rule),
            assessable=assessable[:, column],
            events=[events[column] for events, _ in chunks],
            others=[others[column] for _, others in chunks],
        )
        for column, (number, rule) in enumerate(users)
    ]


Blocks = list[NDArray[np.int32]]
"""For each rule, (columns, n_rows) what it found in a chunk."""


def scan(pack: Pack, rules: Rules, assessable: NDArray[np.bool_], threads: int | None) -> list[tuple[Blocks, Blocks]]:
    """Run the kernel over chunks of patients, side by side.

    Returns, for each chunk in the order of the patients, the events of each rule and its changes that are none.
    """
    from smoulder.engine.kernel.scan import scan_chunk

    n_rules, n_columns = len(rules.setting), N_COLUMNS + 2 * rules.window.shape[1]
    chunks = list(pairwise([0, *chunk_ends(pack.first, max(CHUNK_VISITS // max(n_rules, 1), FEWEST_CHUNK_VISITS))]))
    longest = max((int(pack.first[end] - pack.first[start]) for start, end in chunks), default=0)
    # A walk that looks again after the last event writes a visit twice before it drops one of the two.
    twice = 2 if (rules.setting[:, SECOND] == AFTER_LAST).any() else 1
    room = longest * n_rules * twice + 1
    # Pages that are written for the first time are slow, so a chunk writes where an earlier one has written.
    written: list[NDArray[np.int32]] = []

    def run(start: int, end: int) -> tuple[Blocks, Blocks]:
        out = written.pop() if written else np.empty((room, n_columns), dtype=np.int32)
        n_rows = scan_chunk(pack, rules, start, end, out, assessable, scratch(pack, start, end))
        parts = by_rule(out[:n_rows], n_rules)
        written.append(out)
        return parts

    return side_by_side([partial(run, *chunk) for chunk in chunks], threads)


def by_rule(rows: NDArray[np.int32], n_rules: int) -> tuple[Blocks, Blocks]:
    """Return the events of each rule, and its changes that are none, column by column; each in the order of the rows."""
    kind = rows[:, O_RULE] + n_rules * (rows[:, O_REASON] != 0)
    order = np.argsort(kind.astype(np.uint16), kind="stable")
    ends = np.cumsum(np.bincount(kind, minlength=2 * n_rules))
    n_events = int(ends[n_rules - 1])
    events = np.ascontiguousarray(rows[order[:n_events]].T)
    others = np.ascontiguousarray(rows[order[n_events:]][:, UNCONFIRMED_COLUMNS].T)
    starts = [0, *ends.tolist()]
    places = list(pairwise(starts))
    return (
        [events[:, start:end] for start, end in places[:n_rules]],
        [others[:, start - n_events : end - n_events] for start, end in places[n_rules:]],
    )


def scratch(pack: Pack, start: int, end: int) -> Scratch:
    """Return room for one patient of some at a time."""
    from smoulder.engine.kernel.people import Scratch

    n = int(np.diff(pack.first[start : end + 1]).max())
    whole, long, flag = np.int32, np.int64, np.bool_
    return Scratch(
        since=np.empty(n, whole),
        until=np.empty(n, whole),
        score=np.empty(n, whole),
        eligible=np.empty(n, long),
        is_pira_visit=np.empty(n, flag),
        past_relapse=np.empty(n, flag),
        held=np.empty((2, 2, n), long),
        n_held=np.empty(2, long),
    )


def chunk_ends(first: NDArray[np.int64], n_visits: int = CHUNK_VISITS) -> list[int]:
    """Return the patient after the last one of each chunk of about `n_visits` visits."""
    n_patients = len(first) - 1
    if n_patients == 0:
        return []
    marks = np.arange(n_visits, int(first[-1]), n_visits)
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
        assessed[rows.definition, rows.measure.key] = rows.assessable
        assessed[rows.definition, "any"] |= rows.assessable
    return assessed


def assessable_frame(cohort: Cohort, definitions: Sequence[Definition], assessed: dict[tuple[int, str], NDArray[np.bool_]]) -> pl.DataFrame:
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
