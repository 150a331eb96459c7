"""The compiled kernel and the readable reference say the same, on random cohorts under random definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from strategies import cohorts, cohorts_with, definitions, thresholds

from smoulder.engine.detect import detect
from smoulder.engine.encoding import NEVER, needed_each
from smoulder.engine.explain import explain
from smoulder.engine.pack import plain_record, record_of, seen_days
from smoulder.engine.record import LABELS, Found, Record
from smoulder.engine.reference import scan
from smoulder.events import EVENT_SCHEMA, REASONS, UNCONFIRMED_SCHEMA, Events, window_columns
from smoulder.rulebook import Definition, definition
from smoulder.rulebook.model import MeasureRule, Threshold
from smoulder.tables import Cohort, Relapses, Visits
from smoulder.terms import MEASURES, MISSING

Row = dict[str, Any]


def reference_tables(cohort: Cohort, definition: Definition) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return events and unconfirmed changes as the reference engine finds them, in the public form."""
    events: list[Row] = []
    others: list[Row] = []
    start, _ = seen_days(cohort)
    for index, patient in enumerate(cohort.patients):
        own: list[tuple[int, int, Row]] = []
        for place, rule in enumerate(definition.measures):
            record = record_of(cohort, index, rule, definition)
            for found in scan(record, rule, definition):
                base = {"patient": patient, "definition": definition.key, "measure": rule.measure}
                if found.reason == 0:
                    own.append((found.onset, place, base | event_row(record, rule, definition, found, int(start[index]))))
                else:
                    others.append(base | other_row(record, rule, found))
        worsenings = sorted(
            (row["onset_day"], place, position) for position, (_, place, row) in enumerate(own) if row["kind"] == "worsening"
        )
        for position, (_, _, row) in enumerate(own):
            events.append(row | {"composite": bool(worsenings) and worsenings[0][2] == position})
    schema = EVENT_SCHEMA | window_columns([window.name for window in definition.confirmation.windows])
    return pl.DataFrame(events, schema=schema), pl.DataFrame(others, schema=UNCONFIRMED_SCHEMA)


def event_row(record: Record, rule: MeasureRule, definition: Definition, found: Found, start: int) -> Row:
    points = rule.spec().points
    row = {
        "kind": "worsening" if found.worsening else "improvement",
        "label": LABELS[found.label],
        "raw": found.raw,
        "pira": found.pira,
        "mri": None,
        "onset_day": record.days[found.onset],
        "onset_score": points(found.onset_score),
        "baseline_day": record.days[found.baseline],
        "reference_score": points(found.reference),
        "meaningful_day": record.days[found.meaningful],
        "meaningful_score": points(found.meaningful_score),
        "sustained_until_day": record.days[found.sustained_until],
        "sustained_days": record.days[found.sustained_until] - record.days[found.onset],
        "sustained_to_end": found.sustained_until == len(record.days) - 1,
        "confirmed": not found.counted,
        "outside_follow_up": found.outside,
        "days_from_start": record.days[found.onset] - start,
        "days_from_baseline": record.days[found.onset] - record.days[found.baseline],
    }
    for window, confirming, pira in zip(definition.confirmation.windows, found.confirmations, found.pira_confirmations, strict=True):
        for prefix, visit in (("confirmed", confirming), ("pira_confirmed", pira)):
            row[f"{prefix}_{window.name}_day"] = record.days[visit] if visit >= 0 else None
            row[f"{prefix}_{window.name}_score"] = points(record.scores[visit]) if visit >= 0 else None
    return row


def other_row(record: Record, rule: MeasureRule, found: Found) -> Row:
    return {
        "kind": "worsening" if found.worsening else "improvement",
        "onset_day": record.days[found.onset],
        "onset_score": rule.spec().points(found.onset_score),
        "baseline_day": record.days[found.baseline],
        "reference_score": rule.spec().points(found.reference),
        "reason": REASONS[found.reason - 1],
    }


@given(cohorts_with())
def test_kernel_equals_reference(pair: tuple[Cohort, Definition]) -> None:
    cohort, definition = pair
    events = detect(cohort, definition)
    table, unconfirmed = reference_tables(cohort, definition)
    assert_frame_equal(events.table, table, check_exact=True)
    assert_frame_equal(events.unconfirmed, unconfirmed, check_exact=True)


@given(st.data())
@settings(max_examples=300)
def test_several_definitions_in_one_pass_equal_one_at_a_time(data: st.DataObject) -> None:
    cohort = data.draw(cohorts())
    measures = [key for key in ("edss", "sdmt", "t25fw") if cohort.has_measure(key)]
    if not measures:
        return
    drawn = data.draw(st.lists(definitions(measures), min_size=1, max_size=4))
    chosen = [one.changed(key=f"d{place}") for place, one in enumerate(drawn) if one.baseline.start == "first visit"]
    if not chosen:
        return
    together = detect(cohort, chosen)
    for one in chosen:
        alone = detect(cohort, one)
        assert_frame_equal(together.of(one.key).select(alone.table.columns), alone.table)
        assert_frame_equal(together.unconfirmed.filter(pl.col("definition") == one.key), alone.unconfirmed)


@given(cohorts_with(), st.integers(1, 4))
@settings(max_examples=300)
def test_any_number_of_threads_gives_the_same_bytes(pair: tuple[Cohort, Definition], threads: int) -> None:
    cohort, definition = pair
    assert written(detect(cohort, definition, threads=threads)) == written(detect(cohort, definition, threads=1))


@given(cohorts_with(), st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_any_partition_gives_the_same_events(pair: tuple[Cohort, Definition], random: Any) -> None:
    cohort, definition = pair
    if definition.baseline.start != "first visit":
        return
    cut = random.randint(0, cohort.n_patients)
    parts = [detect(cohort.subset(list(positions)), definition) for positions in (range(cut), range(cut, cohort.n_patients))]
    assert_frame_equal(pl.concat([part.table for part in parts]), detect(cohort, definition).table)


@given(cohorts_with(), st.integers(-5000, 5000))
@settings(max_examples=300)
def test_shifting_all_days_shifts_the_answers(pair: tuple[Cohort, Definition], shift: int) -> None:
    cohort, definition = pair
    moved, still = detect(shifted(cohort, shift), definition).table, detect(cohort, definition).table
    days = [column for column in still.columns if column.endswith("_day")]
    assert_frame_equal(moved, still.with_columns((pl.col(day) + shift).cast(pl.Int32) for day in days))


@given(cohorts_with())
@settings(max_examples=300)
def test_the_explanation_tells_of_the_same_events(pair: tuple[Cohort, Definition]) -> None:
    cohort, definition = pair
    events = detect(cohort, definition)
    for patient in cohort.patients:
        explanation = explain(cohort, patient, definition)
        told = [
            (judged.measure.key, event.kind, event.label, event.onset_day, event.sustained_until_day)
            for judged in explanation.measures
            for event in judged.events
        ]
        columns = ["measure", "kind", "label", "onset_day", "sustained_until_day"]
        assert told == events.table.filter(pl.col("patient") == patient).select(columns).rows()
        assert explanation.text().endswith("Verdict: no event.") == (not told)
        assert explanation.frame().height == sum(len(judged.steps) for judged in explanation.measures)


@given(cohorts_with())
@settings(max_examples=300)
def test_a_longer_wait_never_adds_a_patient(pair: tuple[Cohort, Definition]) -> None:
    """With a fixed baseline and an open window at every visit, confirming later or needing more finds no more patients."""
    cohort, _ = pair
    if not cohort.has_measure("edss"):
        return
    weeks_12, weeks_24 = (set(detect(cohort, key).table["patient"]) for key in ("cdw-12w", "cdw-24w"))
    assert weeks_24 <= weeks_12
    harder = definition("cdw-12w").changed({"measures": [{"measure": "edss", "worsening": {"points": 1.5}}]})
    assert set(detect(cohort, harder).table["patient"]) <= weeks_12


def test_empty_tables_have_all_their_columns() -> None:
    nobody = Cohort(
        patients=pl.Series([], dtype=pl.String),
        visits=Visits(first=zeros(1), day=zeros(0, "i4"), scores={"edss": zeros(0, "i4")}),
        relapses=Relapses(first=zeros(1), day=zeros(0, "i4")),
        relapse_knowledge="recorded",
    )
    events = detect(nobody, ["cdw-12w", "mueller-2025"])
    assert events.table.height == events.unconfirmed.height == events.follow_up.height == 0
    assert {"onset_day", "confirmed_12w_day", "pira_confirmed_12m_score"} <= set(events.table.columns)
    assert [summary.counts[0][1].denominator for summary in events.summaries()] == [0, 0]


def zeros(n: int, kind: str = "i8") -> Any:
    import numpy as np

    return np.zeros(n, dtype=kind)


def written(events: Events) -> bytes:
    """Return a result as it would be written."""
    return b"".join(frame.write_csv().encode() for frame in (events.table, events.unconfirmed, events.follow_up))


def shifted(cohort: Cohort, shift: int) -> Cohort:
    """Return the cohort with every day later by `shift`."""
    from dataclasses import replace

    import numpy as np

    def days(array: Any) -> Any:
        return None if array is None else np.where(array == MISSING, array, array + shift).astype(np.int32)

    attributes = cohort.attributes
    if attributes is not None:
        attributes = attributes.with_columns((pl.col("diagnosis_date") + shift).cast(pl.Int32))

    return replace(
        cohort,
        visits=replace(cohort.visits, day=days(cohort.visits.day)),
        relapses=replace(cohort.relapses, day=days(cohort.relapses.day)),
        recorded_from=days(cohort.recorded_from),
        recorded_to=days(cohort.recorded_to),
        time_zero=days(cohort.time_zero),
        attributes=attributes,
    )


def test_plain_record_keeps_only_measured_visits() -> None:
    from cohorts import cohort_of

    cohort = cohort_of({"A": {"edss": "0:2.0 90:3.0", "sdmt": "90:50"}})
    assert plain_record(cohort, 0, "sdmt").days == (90,)


@given(
    st.sampled_from(("edss", "sdmt", "t25fw", "nhpt")).flatmap(lambda key: st.tuples(st.just(key), thresholds(key))),
    st.integers(-300, 3000),
)
@settings(max_examples=300)
def test_the_tabled_change_is_the_one_that_the_threshold_gives(drawn: tuple[str, dict[str, Any]], start: int) -> None:
    key, data = drawn
    threshold, units = Threshold.model_validate(data), MEASURES[key].units_per_point
    references = np.arange(start, start + 700, 7)
    expected = [NEVER if (needed := threshold.needed(int(at), units)) is None else needed for at in references]
    assert needed_each(threshold, references, units).tolist() == expected
