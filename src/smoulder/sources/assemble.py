"""Typed tables and what was found in them to the packed cohort, with an account of every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.findings import Account, Finding, Report
from smoulder.loaded import NEEDED_OF_PATIENTS, Loaded, Table, days_in, sorted_keys
from smoulder.sources.merging import merged_flags, merged_scores
from smoulder.sources.softening import CARRIED, is_needed, softened
from smoulder.tables import Cohort, RelapseKnowledge, Relapses, Visits
from smoulder.terms import MISSING

_ERROR = "an error in the row"
_NAMELESS = "an error in a row without a patient"
_FAULT = "a fault in the row"
_PATIENT = "patient set aside because of errors"


@dataclass(frozen=True, eq=False, kw_only=True)
class _Barred:
    """Which rows and patients may not enter the cohort."""

    rows: dict[str, NDArray[np.int64]]
    """Table -> rows (as a spreadsheet shows them) with an error."""
    emptied: dict[str, NDArray[np.int64]]
    """Column of the patients, as the file names it -> rows whose cell is left empty."""
    patients: dict[str, str]
    """Patient -> codes of their errors, where patients are set aside."""

    def row_mask(self, table: Table) -> pl.Series:
        """Return (n_rows,) whether the row itself has an error."""
        mask = pl.repeat(False, table.frame.height, eager=True)
        rows = self.rows.get(table.name)
        if rows is not None and len(rows):
            mask = table.frame["row"].is_in(pl.Series(rows, dtype=pl.UInt32).implode())
        return mask if table.faulty is None else mask | table.faulty

    def patient_mask(self, table: Table) -> pl.Series:
        """Return (n_rows,) whether the row's patient is set aside."""
        if not self.patients:
            return pl.repeat(False, table.frame.height, eager=True)
        barred = table.ids.is_in(list(self.patients))
        return barred.gather(table.frame["patient"].to_physical()).fill_null(False)


def assemble(loaded: Loaded, findings: Sequence[Finding], *, keep_going: bool = False) -> Cohort:
    """Return the cohort of typed tables.

    Parameters
    ----------
    loaded
        The tables.
    findings
        Everything found in them; rows with an error stay out.
    keep_going
        Whether patients with an error are set aside whole.
    """
    report = Report(findings=tuple(softened(finding, loaded) for finding in findings), columns=loaded.columns)
    barred = _Barred(
        rows=_rows_with_errors(findings, loaded),
        emptied=_emptied(findings, loaded),
        patients=report.faulty_patients() if keep_going else {},
    )
    patients, visits, accounts = _visits(loaded, barred)
    relapses, details, knowledge, relapse_accounts = _relapses(loaded, barred, patients)
    cohort = Cohort(
        patients=patients,
        visits=visits,
        relapses=relapses,
        relapse_details=details,
        relapse_knowledge=knowledge,
        calendar=loaded.calendar,
        custom_measures=loaded.measures,
        set_aside=tuple(barred.patients.items()),
        kept_going=keep_going,
    )
    cohort, other_accounts = _with_others(cohort, loaded, barred)
    unusable = [
        Account(table=name, rows_read=n, rows_kept=0, set_aside=(("the table cannot be used", n),) if n else ())
        for name, n in loaded.unusable.items()
    ]
    accounts = (*accounts, *relapse_accounts, *other_accounts, *unusable)
    return replace(cohort, report=replace(report, accounts=accounts))


def _emptied(findings: Sequence[Finding], loaded: Loaded) -> dict[str, NDArray[np.int64]]:
    emptied: dict[str, NDArray[np.int64]] = {}
    for finding in findings:
        if finding.level == "error" and finding.table == "patients" and not is_needed(finding, loaded):
            rows = finding.cases["row"].drop_nulls().to_numpy()
            emptied[finding.column] = np.concatenate((emptied.get(finding.column, rows[:0]), rows))
    return emptied


def _rows_with_errors(findings: Sequence[Finding], loaded: Loaded) -> dict[str, NDArray[np.int64]]:
    rows: dict[str, list[NDArray[np.int64]]] = {}
    for finding in findings:
        if finding.level == "error" and (finding.table != "patients" or finding.code == "patient-missing" or is_needed(finding, loaded)):
            rows.setdefault(finding.table, []).append(finding.cases["row"].drop_nulls().to_numpy())
    return {table: np.unique(np.concatenate(parts)) for table, parts in rows.items()}


def _reasons(table: Table, errors: pl.Series, people: pl.Series) -> tuple[tuple[str, pl.Series], ...]:
    """Return the reasons that are the same for every table, each with its (n_rows,) rows."""
    carried = table.name in CARRIED or (table.name == "patients" and not set(NEEDED_OF_PATIENTS) & table.columns.keys())
    if carried:
        return (_FAULT, errors), (_PATIENT, people)
    return (_NAMELESS, errors & table.frame["patient"].is_null()), (_ERROR, errors), (_PATIENT, people)


def _account(table: Table, reasons: Sequence[tuple[str, pl.Series]], late: Sequence[tuple[str, int]] = ()) -> Account:
    """Return where the rows went: each to the first reason that holds for it; `late` reasons come as counts."""
    free = pl.repeat(True, table.frame.height, eager=True)
    counts: list[tuple[str, int]] = [("nothing in the row", table.empty_rows)]
    for reason, mask in reasons:
        counts.append((reason, int((free & mask).sum())))
        free &= ~mask
    counts += late
    set_aside = tuple((reason, n) for reason, n in counts if n)
    return Account(
        table=table.name, rows_read=table.rows_read, rows_kept=table.rows_read - sum(n for _, n in set_aside), set_aside=set_aside
    )


def _visits(loaded: Loaded, barred: _Barred) -> tuple[pl.Series, Visits, tuple[Account, ...]]:
    """Return the patients, their visits and the account of the table."""
    if "visits" not in loaded.tables:
        return pl.Series("patient", [], dtype=pl.String), _no_visits(), ()
    table = loaded.tables["visits"]
    errors, people = barred.row_mask(table), barred.patient_mask(table)
    key, position = table.keys.key, table.keys.position
    out = errors | people
    if out.any():
        positions = table.keys.positions()
        keep = ~out.to_numpy()[positions]
        key, position = key[keep], positions[keep]
    new = np.ones(len(key), dtype=np.bool_)
    np.not_equal(key[1:], key[:-1], out=new[1:])
    starts = None if new.all() else np.flatnonzero(new)
    scores = {measure.key: _scores(table.frame[measure.key], position, starts, loaded.same_day) for measure in table.measures}
    scheduled = _scheduled(table, position, starts)
    overruled = 0 if starts is None else _overruled(table, position, key, starts, loaded.same_day)
    key = key if starts is None else key[starts]
    patients, first = _owners(key, table.ids)
    unscored = ~table.scored()
    reasons = (*_reasons(table, errors, people), ("no score in the row", unscored))
    account = _account(table, reasons, (("another score of the same day was taken", overruled),))
    return patients, Visits(first=first, day=days_in(key), scores=scores, scheduled=scheduled), (account,)


def _no_visits() -> Visits:
    return Visits(first=np.zeros(1, dtype=np.int64), day=np.empty(0, dtype=np.int32), scores={})


def _taken(column: pl.Series, position: NDArray[np.uint32] | None) -> pl.Series:
    return column if position is None else column.gather(pl.Series(position))


def _scores(column: pl.Series, position: NDArray[np.uint32] | None, starts: NDArray[np.int64] | None, same_day: str) -> NDArray[np.int32]:
    """Return (n_visits,) the scores of one measure in order, MISSING where there is none."""
    # Writable, so that compiled code meets one type of array.
    scores = _taken(column, position).fill_null(MISSING).to_numpy(writable=True)
    return scores if starts is None else merged_scores(scores, starts, same_day)[0]


def _scheduled(table: Table, position: NDArray[np.uint32] | None, starts: NDArray[np.int64] | None) -> NDArray[np.bool_] | None:
    """Return (n_visits,) whether the visit was planned; a visit that does not say counts as planned."""
    if "scheduled" not in table.frame.columns:
        return None
    flags = _taken(table.frame["scheduled"], position).fill_null(True).to_numpy()
    return flags.copy() if starts is None else merged_flags(flags, starts)


def _overruled(table: Table, position: NDArray[np.uint32] | None, key: NDArray[np.int64], starts: NDArray[np.int64], same_day: str) -> int:
    """Return the number of rows of which no score was taken, as another row of that day had one."""
    used = np.zeros(len(key), dtype=np.bool_)
    for measure in table.measures:
        scores = _taken(table.frame[measure.key], position).fill_null(MISSING).to_numpy()
        chosen = merged_scores(scores, starts, same_day)[1]
        used[chosen[chosen >= 0]] = True
    return int((~used).sum())


def _owners(key: NDArray[np.int64], ids: pl.Series) -> tuple[pl.Series, NDArray[np.int64]]:
    """Return the patients with a key, and where each one's keys begin."""
    code = (key >> 32).astype(np.uint32)
    starts = np.flatnonzero(np.concatenate((np.ones(min(len(code), 1), dtype=np.bool_), code[1:] != code[:-1])))
    first = np.append(starts, len(code)).astype(np.int64)
    return ids.gather(code[starts]).cast(pl.String).alias("patient"), first


def _codes_in(table: Table, patients: pl.Series) -> NDArray[np.int64]:
    """Return (n_rows,) the position of each row's patient in the cohort; -1 for none."""
    place = pl.DataFrame({"patient": table.ids}).join(
        pl.DataFrame({"patient": patients}).with_row_index("place"), on="patient", how="left", maintain_order="left"
    )["place"]
    return place.gather(table.frame["patient"].to_physical()).cast(pl.Int64).fill_null(-1).to_numpy()


def _relapses(
    loaded: Loaded, barred: _Barred, patients: pl.Series
) -> tuple[Relapses, pl.DataFrame | None, RelapseKnowledge, tuple[Account, ...]]:
    """Return the relapses of the cohort's patients, each day once, and what else is known of them."""
    if "relapses" not in loaded.tables:
        none = Relapses(first=np.zeros(len(patients) + 1, dtype=np.int64), day=np.empty(0, dtype=np.int32))
        return none, None, ("none" if loaded.nobody_relapsed else "unknown"), ()
    table = loaded.tables["relapses"]
    errors, people = barred.row_mask(table), barred.patient_mask(table)
    code = _codes_in(table, patients)
    stranger = pl.Series(code < 0)
    usable = ~(errors | people | stranger) & table.frame["date"].is_not_null()
    at = usable.arg_true().to_numpy()
    keys = sorted_keys(code[at].astype(np.uint32), table.frame["date"].gather(at).to_numpy(), None).key
    # The keys are sorted; np.unique would hash them again.
    once = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
    first = np.searchsorted(once, np.arange(len(patients) + 1, dtype=np.int64) << 32)
    reasons = (*_reasons(table, errors, people), ("no visit of that patient counts", stranger))
    account = _account(table, reasons, (("the same relapse again", len(keys) - len(once)),))
    details = _details(table.frame.filter(usable))
    return Relapses(first=first.astype(np.int64), day=days_in(once)), details, "recorded", (account,)


def _details(frame: pl.DataFrame) -> pl.DataFrame | None:
    """Return what else is known of relapses, one row a patient and day: of one day the first known value in the order of the values."""
    known = [name for name in ("end_date", "duration_hours", "fever", "infection") if name in frame.columns]
    if not known:
        return None
    named = frame.select(pl.col("patient").cast(pl.String), pl.col("date").alias("day"), *known).rename(
        {"end_date": "end_day"}, strict=False
    )
    each = [pl.col(name).drop_nulls().sort().first() for name in named.columns if name not in ("patient", "day")]
    return named.group_by("patient", "day").agg(each).sort("patient", "day")


def _with_others(cohort: Cohort, loaded: Loaded, barred: _Barred) -> tuple[Cohort, tuple[Account, ...]]:
    """Return the cohort with its treatments, MRI and patients' attributes."""
    accounts: list[Account] = []
    kept: dict[str, pl.DataFrame] = {}
    for name in ("treatments", "patients", "mri"):
        if name not in loaded.tables:
            continue
        table = loaded.tables[name]
        errors, people = barred.row_mask(table), barred.patient_mask(table)
        stranger = pl.Series(_codes_in(table, cohort.patients) < 0)
        frame = _with_empty_cells(table, barred).filter(~(errors | people | stranger))
        frame = frame.drop("row").with_columns(pl.col("patient").cast(pl.String))
        kept[name] = frame.unique(maintain_order=True) if name == "treatments" else frame
        late = (("the same treatment again", frame.height - kept[name].height),)
        accounts.append(_account(table, (*_reasons(table, errors, people), ("no visit of that patient counts", stranger)), late))
    if "patients" in kept:
        cohort = _with_attributes(cohort, kept["patients"])
    if "treatments" in kept:
        cohort = replace(cohort, treatments=_treatments(kept["treatments"]))
    if "mri" in kept:
        scans = kept["mri"].rename({"date": "day"})
        cohort = replace(cohort, mri=scans.select("patient", "day", pl.exclude("patient", "day")).sort(scans.columns, nulls_last=True))
    return cohort, tuple(accounts)


def _with_empty_cells(table: Table, barred: _Barred) -> pl.DataFrame:
    """Return the frame, without the values of the patients that cannot be."""
    frame = table.frame
    if table.name != "patients":
        return frame
    for ours, theirs in table.columns.items():
        rows = barred.emptied.get(theirs)
        if rows is not None and len(rows) and ours in frame.columns and ours != "patient":
            impossible = frame["row"].is_in(pl.Series(rows, dtype=pl.UInt32).implode())
            frame = frame.with_columns(pl.when(impossible).then(None).otherwise(pl.col(ours)).alias(ours))
    return frame


def _treatments(frame: pl.DataFrame) -> pl.DataFrame:
    named = frame.rename({"start_date": "start_day", "end_date": "end_day"}, strict=False)
    if "end_day" not in named.columns:
        named = named.with_columns(end_day=pl.lit(None, dtype=pl.Int32))
    columns = ["patient", "treatment", "start_day", "end_day"]
    return named.select(columns).sort("patient", "start_day", "treatment", "end_day", nulls_last=True)


def _with_attributes(cohort: Cohort, frame: pl.DataFrame) -> Cohort:
    """Return the cohort with one row of attributes a patient, in its order."""
    one_each = frame.unique("patient", keep="first", maintain_order=True)
    attributes = pl.DataFrame({"patient": cohort.patients}).join(one_each, on="patient", how="left", maintain_order="left")

    def days(name: str) -> NDArray[np.int32] | None:
        return attributes[name].fill_null(MISSING).to_numpy().astype(np.int32) if name in attributes.columns else None

    return replace(
        cohort,
        attributes=attributes.with_columns(_numbers_where_all_are(attributes[name]) for name in _texts_kept(attributes)),
        recorded_from=days("relapses_recorded_from"),
        recorded_to=days("relapses_recorded_to"),
        time_zero=days("time_zero"),
    )


def _texts_kept(attributes: pl.DataFrame) -> list[str]:
    return [name for name, dtype in attributes.schema.items() if dtype == pl.String and name not in ("patient", "sex", "arm", "course")]


def _numbers_where_all_are(column: pl.Series) -> pl.Series:
    """Return a text column as numbers where every text of it is one."""
    numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
    return numbers if numbers.null_count() == column.null_count() and numbers.null_count() < len(column) else column
