"""Kernel rows as tables: visits become days and scores, numbers become names."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.engine.encoding import (
    N_COLUMNS,
    O_BASELINE,
    O_COUNTED,
    O_LABEL,
    O_MEANINGFUL,
    O_MEANINGFUL_SCORE,
    O_ONSET,
    O_ONSET_SCORE,
    O_OUTSIDE,
    O_PATIENT,
    O_PIRA,
    O_RAW,
    O_REASON,
    O_REFERENCE,
    O_SUSTAINED,
    O_WORSENING,
    Pack,
)
from smoulder.engine.record import LABELS
from smoulder.events import EVENT_SCHEMA, REASONS, UNCONFIRMED_SCHEMA, window_columns
from smoulder.rulebook.model import Definition
from smoulder.tables import Cohort
from smoulder.terms import Measure

KINDS = pl.Series(["improvement", "worsening"], dtype=pl.String)
LABEL_NAMES = pl.Series(LABELS, dtype=pl.String)
REASON_NAMES = pl.Series([None, *REASONS], dtype=pl.String)


@dataclass(frozen=True, eq=False)
class Rows:
    """What was found on one measure."""

    measure: Measure
    pack: Pack
    rows: NDArray[np.int32]
    """(n_rows, columns) as the kernel writes them; visits are numbered over the pack."""
    definition: NDArray[np.int32]
    """(n_rows,) number of the definition."""
    place: NDArray[np.int32]
    """(n_rows,) place of the measure in that definition."""
    assessable: NDArray[np.bool_]
    """(n_patients, n_rules)"""
    numbers: NDArray[np.int32]
    """(n_rules,) number of each rule's definition."""

    def only(self, mask: NDArray[np.bool_]) -> Rows:
        """Return the rows where `mask` is true."""
        return Rows(
            self.measure, self.pack, self.rows[mask], self.definition[mask], self.place[mask], self.assessable, self.numbers
        )

    def points(self, signed: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return signed scores in the measure's unit."""
        # 0.0 is added because -0.0 (a signed score of 0 on a descending measure) would print as such.
        return (signed if self.measure.higher_is_worse else -signed) / self.measure.units_per_point + 0.0

    def days(self, column: int) -> NDArray[np.int32]:
        """Return the day of the visit in a column."""
        return self.pack.day[self.rows[:, column]]

    def days_or_null(self, column: int) -> pl.Series:
        """Return the day of the visit in a column; null where there is none."""
        return self._or_null(column, self.pack.day, pl.Int32())

    def scores_or_null(self, column: int) -> pl.Series:
        """Return the score of the visit in a column, in the measure's unit; null where there is none."""
        return self._or_null(column, self.points(self.pack.score), pl.Float64())

    def _or_null(self, column: int, values: NDArray[np.generic], dtype: pl.DataType) -> pl.Series:
        visit = self.rows[:, column]
        if len(values) == 0:
            return pl.Series([None] * len(visit), dtype=dtype)
        return pl.Series(values[np.maximum(visit, 0)], dtype=dtype).set(pl.Series(visit < 0), None)


def event_frame(cohort: Cohort, definitions: Sequence[Definition], found: Sequence[Rows], threads: int | None = None) -> pl.DataFrame:
    """Return the events as `Events.table` documents them."""
    windows = list(dict.fromkeys(window.name for d in definitions for window in d.confirmation.windows))
    schema = EVENT_SCHEMA | window_columns(windows)

    def part(number: int) -> pl.DataFrame:
        parts = [
            _event_columns(cohort, definitions[number], rows, windows)
            for rows in (of_definition(rows, number, events=True) for rows in found)
            if len(rows.rows)
        ]
        if not parts:
            return pl.DataFrame(schema=schema)
        frame = parts[0] if len(parts) == 1 else pl.concat(parts).sort("_patient", "_place", "onset_day")
        return frame.with_columns(composite=_is_first_worsening(frame)).select(*schema)

    return _in_order(part, len(definitions), threads)


def _in_order(part: Callable[[int], pl.DataFrame], n: int, threads: int | None) -> pl.DataFrame:
    """Return the parts 0 to n - 1, made side by side, one below the other."""
    if n == 1:
        return part(0)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        return pl.concat(list(pool.map(part, range(n))), rechunk=False)


def of_definition(rows: Rows, number: int, *, events: bool) -> Rows:
    """Return the rows of one definition that are events, or those that are none; in the order of patients and onsets."""
    if number not in rows.numbers:
        return rows.only(np.zeros(len(rows.rows), dtype=np.bool_))
    return rows.only((rows.definition == number) & ((rows.rows[:, O_REASON] == 0) == events))


def _event_columns(cohort: Cohort, definition: Definition, events: Rows, windows: Sequence[str]) -> pl.DataFrame:
    rows, pack = events.rows, events.pack
    patient = rows[:, O_PATIENT]
    onset, baseline, until = events.days(O_ONSET), events.days(O_BASELINE), events.days(O_SUSTAINED)
    columns: dict[str, object] = {
        "_patient": patient,
        "_place": events.place,
        "patient": cohort.patients.gather(patient),
        "definition": pl.repeat(definition.key, len(rows), dtype=pl.String, eager=True),
        "measure": pl.repeat(events.measure.key, len(rows), dtype=pl.String, eager=True),
        "kind": KINDS.gather(rows[:, O_WORSENING]),
        "label": LABEL_NAMES.gather(rows[:, O_LABEL]),
        "raw": rows[:, O_RAW] != 0,
        "pira": rows[:, O_PIRA] != 0,
        "onset_day": onset,
        "onset_score": events.points(rows[:, O_ONSET_SCORE]),
        "baseline_day": baseline,
        "reference_score": events.points(rows[:, O_REFERENCE]),
        "meaningful_day": events.days(O_MEANINGFUL),
        "meaningful_score": events.points(rows[:, O_MEANINGFUL_SCORE]),
        "sustained_until_day": until,
        "sustained_days": until - onset,
        "sustained_to_end": rows[:, O_SUSTAINED] == pack.first[patient + 1] - 1,
        "confirmed": rows[:, O_COUNTED] == 0,
        "outside_follow_up": rows[:, O_OUTSIDE] != 0,
        "days_from_start": onset - pack.seen_from[patient],
        "days_from_baseline": onset - baseline,
    }
    n_slots = (rows.shape[1] - N_COLUMNS) // 2
    own = [window.name for window in definition.confirmation.windows]
    for prefix, first_column in (("confirmed", N_COLUMNS), ("pira_confirmed", N_COLUMNS + n_slots)):
        for name in windows:
            if name in own:
                column = first_column + own.index(name)
                day, score = events.days_or_null(column), events.scores_or_null(column)
            else:
                day = pl.repeat(None, len(rows), dtype=pl.Int32, eager=True)
                score = pl.repeat(None, len(rows), dtype=pl.Float64, eager=True)
            columns[f"{prefix}_{name}_day"], columns[f"{prefix}_{name}_score"] = day, score
    return pl.DataFrame(columns)


def _is_first_worsening(frame: pl.DataFrame) -> pl.Series:
    """Return whether each event is its patient's earliest worsening; of one day, that of the first-named measure."""
    worsening = np.flatnonzero((frame["kind"] == "worsening").to_numpy())
    patient, onset = frame["_patient"].to_numpy()[worsening], frame["onset_day"].to_numpy()[worsening]
    order = np.lexsort((frame["_place"].to_numpy()[worsening], onset, patient))
    firsts = order[np.flatnonzero(np.diff(patient[order], prepend=-1))]
    mask = np.zeros(frame.height, dtype=np.bool_)
    mask[worsening[firsts]] = True
    return pl.Series(mask)


def unconfirmed_frame(
    cohort: Cohort, definitions: Sequence[Definition], found: Sequence[Rows], threads: int | None = None
) -> pl.DataFrame:
    """Return the changes that are no event as `Events.unconfirmed` documents them."""

    def part(number: int) -> pl.DataFrame:
        parts = [
            _unconfirmed_columns(cohort, definitions[number], rows)
            for rows in (of_definition(rows, number, events=False) for rows in found)
            if len(rows.rows)
        ]
        if not parts:
            return pl.DataFrame(schema=UNCONFIRMED_SCHEMA)
        frame = parts[0] if len(parts) == 1 else pl.concat(parts).sort("_patient", "_place", "onset_day")
        return frame.select(*UNCONFIRMED_SCHEMA)

    return _in_order(part, len(definitions), threads)


def _unconfirmed_columns(cohort: Cohort, definition: Definition, rows: Rows) -> pl.DataFrame:
    patient = rows.rows[:, O_PATIENT]
    return pl.DataFrame(
        {
            "_patient": patient,
            "_place": rows.place,
            "patient": cohort.patients.gather(patient),
            "definition": pl.repeat(definition.key, len(patient), dtype=pl.String, eager=True),
            "measure": pl.repeat(rows.measure.key, len(patient), dtype=pl.String, eager=True),
            "kind": KINDS.gather(rows.rows[:, O_WORSENING]),
            "onset_day": rows.days(O_ONSET),
            "onset_score": rows.points(rows.rows[:, O_ONSET_SCORE]),
            "baseline_day": rows.days(O_BASELINE),
            "reference_score": rows.points(rows.rows[:, O_REFERENCE]),
            "reason": REASON_NAMES.gather(rows.rows[:, O_REASON]),
        }
    )
