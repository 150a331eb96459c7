"""The counts of a summary: those that one gets by going through the rows one by one, and counted once for however many definitions."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from smoulder import Cohort, Events, definition, definitions, detect, read
from smoulder.events import DURING, REASONS, Summary, possible_labels
from smoulder.rulebook import Definition, grid, traps
from smoulder.simulation import NATALIZUMAB, simulate

TABLES = simulate(NATALIZUMAB, 60, 7).tables
SCANNED = (
    TABLES["visits"]
    .select("patient", "date", new_t2=(pl.int_range(pl.len()) % 7 == 0).cast(pl.Int32), enlarging_t2=0, gd=0)
    .filter(pl.col("patient") < "N030")
)
"""A scan at each visit of the first people, every seventh with a lesion."""

LINES: dict[str, Any] = {
    "PIRA": lambda row: row["pira"],
    "RAW": lambda row: row["raw"],
    "both RAW and PIRA": lambda row: row["raw"] and row["pira"],
    "PIRA without MRI activity (PIRMA)": lambda row: row["mri"] == "no activity",
    "PIRA with MRI activity": lambda row: row["mri"] == "activity",
    "PIRA whose MRI is unknown": lambda row: row["mri"] == "unknown",
    DURING: lambda row: row["label"] == DURING,
    "undefined worsening": lambda row: row["label"] == "undefined",
    "undetermined worsening": lambda row: row["label"] == "undetermined",
}


def counted_by_hand(found: Events, key: str) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """Return, for one definition, the people with an event and what they are out of, and the events, from its rows alone."""
    rules = next(one for one in found.definitions if one.key == key)
    rows = [row for row in found.table.iter_rows(named=True) if row["definition"] == key]
    worse = [row for row in rows if row["kind"] == "worsening"]
    (assessed,) = [row for row in found.assessable.iter_rows(named=True) if (row["definition"], row["measure"]) == (key, "any")]
    every_kind = rules.looking_for in ("every event", "first event", "first worsening")
    chosen: dict[str, list[dict[str, Any]]] = {}
    if rules.labelled and rules.looking_for != "first improvement":
        possible = possible_labels(rules)
        if found.provenance.relapse_knowledge == "unknown":
            possible = ("undetermined worsening",) if every_kind else ()
        chosen = {name: [row for row in worse if holds(row)] for name, holds in LINES.items() if name in possible}
    people = {"confirmed worsening" if rules.confirmation.windows else "worsening": worse} if every_kind else {}
    people |= chosen
    if rules.finds_improvement:
        people["confirmed improvement"] = [row for row in rows if row["kind"] == "improvement"]
    events = {"worsening events": len(worse)} | {f"of them {name}": len(some) for name, some in chosen.items()}
    listed = [row for row in found.unconfirmed.iter_rows(named=True) if (row["definition"], row["kind"]) == (key, "worsening")]
    events |= {f"worsenings that are no event, {reason}": sum(row["reason"] == reason for row in listed) for reason in REASONS}
    return {name: (len({row["patient"] for row in some}), assessed["patients"]) for name, some in people.items()}, events


def chosen() -> list[Definition]:
    """Return a grid, and every definition of the EDSS alone that needs no day from the patients table."""
    plain = [one for one in definitions() if [rule.measure for rule in one.measures] == ["edss"]]
    from_visits = [one for one in plain if one.baseline.start in ("first visit", "previous visit")]
    return [*grid("portaccio-2025-grid").definitions(), *from_visits]


def told(summary: Summary) -> tuple[list[tuple[str, tuple[int, int]]], list[tuple[str, int]]]:
    return [(name, (share.numerator, share.denominator)) for name, share in summary.counts], list(summary.events)


def cohorts() -> dict[str, Cohort]:
    """Return people with all tables, without one of relapses, with some scans, and with nothing but their first visit."""
    visits, relapses = TABLES["visits"], TABLES["relapses"]
    return {
        "all": read(visits=visits, relapses=relapses),
        "relapses unknown": read(visits=visits),
        "scans": read(visits=visits, relapses=relapses, mri=SCANNED),
        "first visits": read(visits=visits.unique("patient", keep="first", maintain_order=True), relapses=relapses.clear()),
    }


@pytest.mark.parametrize("which", ["all", "relapses unknown", "scans", "first visits"])
def test_the_counts_are_those_of_the_rows(which: str) -> None:
    rules = chosen()
    found = detect(cohorts()[which], rules)
    assert [told(one) for one in found.summaries()] == [
        tuple(list(part.items()) for part in counted_by_hand(found, one.key)) for one in rules
    ]
    assert [one.definition for one in found.summaries()] == [f"{one.title} [{one.key}]" for one in rules]


def test_these_counts_are_not_all_nothing() -> None:
    seen: set[str] = set()
    for which in ("all", "relapses unknown", "scans"):
        found = detect(cohorts()[which], chosen())
        seen |= {name for one in found.summaries() for name, share in one.counts if share.numerator}
    assert seen >= {"confirmed worsening", "confirmed improvement", *LINES} - {"both RAW and PIRA", DURING}


def test_a_summary_is_the_same_beside_other_definitions() -> None:
    cohort, rules = cohorts()["all"], grid("portaccio-2025-grid").definitions()
    together = [one.text() for one in detect(cohort, rules).summaries()]
    assert together == [detect(cohort, one).summaries()[0].text() for one in rules]


def test_the_tables_are_gone_through_once_for_however_many_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    # With 1,440 definitions and 60 people the counts took 77 s while each definition filtered the tables anew, and 0.16 s now.
    passes: list[str] = []

    def watched(name: str) -> None:
        method = getattr(pl.DataFrame, name)
        monkeypatch.setattr(pl.DataFrame, name, lambda *given, **named: (passes.append(name), method(*given, **named))[1])

    cohort, rules = cohorts()["all"], grid("portaccio-2025-grid").definitions()
    few, many = detect(cohort, rules[:2]), detect(cohort, rules)
    for name in ("filter", "group_by", "select", "partition_by"):
        watched(name)
    few.summaries()
    n_few = len(passes)
    assert few.summaries() is few.summaries()
    assert len(passes) == n_few
    many.summaries()
    assert len(passes) == 2 * n_few


def test_a_summary_tells_the_known_traps_of_its_definition() -> None:
    rules = definition("mueller-2025")
    (summary,) = detect(cohorts()["all"], rules).summaries()
    assert summary.traps == traps(rules) != ()
    assert summary.text().splitlines()[-len(summary.traps) :] == [f"  known trap: {sentence}" for sentence in traps(rules)]


def test_a_worsening_counted_unconfirmed_is_noted() -> None:
    visits = pl.DataFrame({"patient": ["A"] * 2, "date": [0, 100], "edss": [2.0, 3.0]})
    rules = definition("cdw-12w").changed({"last_visit.worsening": "counted"})
    (summary,) = detect(read(visits=visits, nobody_relapsed=True), rules).summaries()
    assert summary.notes[-1] == "1 worsening at the last visit counted without confirmation."
