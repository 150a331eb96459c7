"""Kernel rows as tables: visits become days and scores, numbers become names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

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
from smoulder.engine.scans import mri_column
from smoulder.events import EVENT_SCHEMA, REASONS, UNCONFIRMED_SCHEMA, window_columns
from smoulder.rulebook.model import Definition
from smoulder.tables import Cohort
from smoulder.terms import Measure

KINDS = pl.Series(["improvement", "worsening"], dtype=pl.String)
LABEL_NAMES = pl.Series(LABELS, dtype=pl.String)
REASON_NAMES = pl.Series([None, *REASONS], dtype=pl.String)

UNCONFIRMED_COLUMNS = (O_PATIENT, O_WORSENING, O_ONSET, O_ONSET_SCORE, O_BASELINE, O_REFERENCE, O_REASON)
"""What is kept of the rows that are no event."""

Part = Callable[[], pl.DataFrame]
"""Makes the rows of one definition. Parts can be made side by side."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What one definition found on one measure; the columns as the kernel writes them, visits numbered over the pack."""

    measure: Measure
    pack: Pack
    definition: int
    """Number of the definition."""
    place: int
    """Place of the measure in that definition."""
    assessable: NDArray[np.bool_]
    """(n_patients,)"""
    events: Sequence[NDArray[np.int32]]
    """Chunk by chunk, (columns, n_rows)."""
    others: Sequence[NDArray[np.int32]]
    """Chunk by chunk, (len(UNCONFIRMED_COLUMNS), n_rows): the changes that are no event."""

    def points(self, signed: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return signed scores in the measure's unit."""
        # 0.0 is added because -0.0 (a signed score of 0 on a descending measure) would print as such.
        return (signed if self.measure.higher_is_worse else -signed) / self.measure.units_per_point + 0.0

    def day_and_score(self, visit: NDArray[np.int32]) -> tuple[pl.Series, pl.Series]:
        """Return the days of visits, and their scores in the measure's unit; null where there is no visit."""
        if len(self.pack.day) == 0:
            return pl.Series([], dtype=pl.Int32), pl.Series([], dtype=pl.Float64)
        there, none = np.maximum(visit, 0), pl.Series(visit < 0)
        day, score = self.pack.day[there], self.points(self.pack.score[there])
        return pl.Series(day).set(none, None), pl.Series(score).set(none, None)


def stacked(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return parts one below the other."""
    return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=False)


def repeated(value: str | None, n: int, dtype: pl.DataType) -> pl.Series:
    """Return (n,) one value; `pl.repeat` plans a query first, which small cohorts feel."""
    return pl.Series([value], dtype=dtype).new_from_index(0, n)


def joined(blocks: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Return blocks of columns one below the other."""
    return np.concatenate(blocks, axis=1) if blocks else np.empty((0, 0), dtype=np.int32)


def event_parts(cohort: Cohort, definitions: Sequence[Definition], found: Sequence[Rows]) -> list[Part]:
    """Return what makes the events of each definition, as `Events.table` documents them."""
    windows = list(dict.fromkeys(window.name for d in definitions for window in d.confirmation.windows))
    own = [of_definition(found, number) for number in range(len(definitions))]
    return [partial(_event_part, cohort, one, rows, windows) for one, rows in zip(definitions, own, strict=True)]


def unconfirmed_parts(cohort: Cohort, definitions: Sequence[Definition], found: Sequence[Rows]) -> list[Part]:
    """Return what makes the changes of each definition that are no event, as `Events.unconfirmed` documents them."""
    own = [of_definition(found, number) for number in range(len(definitions))]
    return [partial(_unconfirmed_part, cohort, one, rows) for one, rows in zip(definitions, own, strict=True)]


def of_definition(found: Sequence[Rows], number: int) -> list[Rows]:
    """Return what one definition found, its measures in the order it names them."""
    return sorted((rows for rows in found if rows.definition == number), key=lambda rows: rows.place)


def by_patient(columns: Sequence[dict[str, pl.Series]], patients: Sequence[NDArray[np.int32]]) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """Return the rows of several measures, patient by patient and measure by measure, and how they were put in that order."""
    frame = pl.concat([pl.DataFrame(part) for part in columns], rechunk=True)
    order = np.argsort(np.concatenate(patients), kind="stable")
    return frame[order], order


def _event_part(cohort: Cohort, definition: Definition, found: Sequence[Rows], windows: Sequence[str]) -> pl.DataFrame:
    schema = EVENT_SCHEMA | window_columns(windows)
    blocks = [joined(rows.events) for rows in found]
    some = [(rows, block) for rows, block in zip(found, blocks, strict=True) if block.size]
    if not some:
        return pl.DataFrame(schema=schema)
    columns = [_event_columns(cohort, definition, rows, block, windows) for rows, block in some]
    patient, worse, onset = (
        np.concatenate(parts)
        for parts in (
            [block[O_PATIENT] for _, block in some],
            [block[O_WORSENING] for _, block in some],
            [rows.pack.day[block[O_ONSET]] for rows, block in some],
        )
    )
    if len(some) == 1:
        columns[0]["composite"] = pl.Series(_is_first_worsening(patient, worse, onset))
        return with_mri(cohort, definition, pl.DataFrame({name: columns[0][name] for name in schema}))
    frame, order = by_patient(columns, [block[O_PATIENT] for _, block in some])
    first = _is_first_worsening(patient[order], worse[order], onset[order])
    return with_mri(cohort, definition, frame.with_columns(composite=pl.Series(first)).select(*schema))


def with_mri(cohort: Cohort, definition: Definition, events: pl.DataFrame) -> pl.DataFrame:
    """Return the events with what their MRI says."""
    return events if definition.mri is None else events.with_columns(mri_column(cohort, definition, events))


def _event_columns(
    cohort: Cohort, definition: Definition, found: Rows, rows: NDArray[np.int32], windows: Sequence[str]
) -> dict[str, pl.Series]:
    pack, n_rows = found.pack, rows.shape[1]
    patient = rows[O_PATIENT]
    onset, baseline, until = (pack.day[rows[column]] for column in (O_ONSET, O_BASELINE, O_SUSTAINED))
    columns: dict[str, pl.Series] = _who_and_what(cohort, definition, found, patient, rows[O_WORSENING])
    values: dict[str, NDArray[np.generic]] = {
        "raw": rows[O_RAW] != 0,
        "pira": rows[O_PIRA] != 0,
        "onset_day": onset,
        "onset_score": found.points(rows[O_ONSET_SCORE]),
        "baseline_day": baseline,
        "reference_score": found.points(rows[O_REFERENCE]),
        "meaningful_day": pack.day[rows[O_MEANINGFUL]],
        "meaningful_score": found.points(rows[O_MEANINGFUL_SCORE]),
        "sustained_until_day": until,
        "sustained_days": until - onset,
        "sustained_to_end": rows[O_SUSTAINED] == pack.first[patient + 1] - 1,
        "confirmed": rows[O_COUNTED] == 0,
        "outside_follow_up": rows[O_OUTSIDE] != 0,
        "days_from_start": onset - pack.seen_from[patient],
        "days_from_baseline": onset - baseline,
    }
    columns["label"], columns["mri"] = LABEL_NAMES[rows[O_LABEL]], repeated(None, n_rows, pl.String())
    columns |= {name: pl.Series(value) for name, value in values.items()}
    n_slots = (len(rows) - N_COLUMNS) // 2
    own = [window.name for window in definition.confirmation.windows]
    nothing = repeated(None, n_rows, pl.Int32()), repeated(None, n_rows, pl.Float64())
    for prefix, first_column in (("confirmed", N_COLUMNS), ("pira_confirmed", N_COLUMNS + n_slots)):
        for name in windows:
            seen = found.day_and_score(rows[first_column + own.index(name)]) if name in own else nothing
            columns[f"{prefix}_{name}_day"], columns[f"{prefix}_{name}_score"] = seen
    return columns


def _who_and_what(
    cohort: Cohort, definition: Definition, found: Rows, patient: NDArray[np.int32], worsening: NDArray[np.int32]
) -> dict[str, pl.Series]:
    return {
        "patient": cohort.patients[patient],
        "definition": repeated(definition.key, len(patient), pl.String()),
        "measure": repeated(found.measure.key, len(patient), pl.String()),
        "kind": KINDS[worsening],
    }


def _is_first_worsening(patient: NDArray[np.int32], worse: NDArray[np.int32], onset: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return whether each event is its patient's earliest worsening; of one day, the one that comes first. Patients are in order."""
    first = np.zeros(len(patient), dtype=np.bool_)
    places = np.flatnonzero(worse)
    if len(places):
        patient, onset = patient[places], onset[places]
        starts = np.flatnonzero(np.diff(patient, prepend=-1))
        earliest = np.repeat(np.minimum.reduceat(onset, starts), np.diff(starts, append=len(patient)))
        is_earliest = np.flatnonzero(onset == earliest)
        first[places[is_earliest[np.flatnonzero(np.diff(patient[is_earliest], prepend=-1))]]] = True
    return first


def _unconfirmed_part(cohort: Cohort, definition: Definition, found: Sequence[Rows]) -> pl.DataFrame:
    blocks = [joined(rows.others) for rows in found]
    some = [(rows, block) for rows, block in zip(found, blocks, strict=True) if block.size]
    if not some:
        return pl.DataFrame(schema=UNCONFIRMED_SCHEMA)
    columns = [_unconfirmed_columns(cohort, definition, rows, block) for rows, block in some]
    if len(some) == 1:
        return pl.DataFrame({name: columns[0][name] for name in UNCONFIRMED_SCHEMA})
    return by_patient(columns, [block[0] for _, block in some])[0].select(*UNCONFIRMED_SCHEMA)


def _unconfirmed_columns(cohort: Cohort, definition: Definition, found: Rows, rows: NDArray[np.int32]) -> dict[str, pl.Series]:
    patient, worsening, onset, onset_score, baseline, reference, reason = rows
    return _who_and_what(cohort, definition, found, patient, worsening) | {
        "onset_day": pl.Series(found.pack.day[onset]),
        "onset_score": pl.Series(found.points(onset_score)),
        "baseline_day": pl.Series(found.pack.day[baseline]),
        "reference_score": pl.Series(found.points(reference)),
        "reason": REASON_NAMES[reason],
    }
