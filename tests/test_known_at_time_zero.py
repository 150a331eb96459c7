"""What is known at time zero is known on the day: nothing that only a later visit tells."""

from __future__ import annotations

from typing import Any

import polars as pl

from smoulder import read, run_study
from smoulder.protocol import study_from

LANDMARK: dict[str, Any] = {
    "key": "landmark",
    "title": "Landmark",
    "question": "Who had a PIRA by then?",
    "time_zero": {"at": "onset", "plus_days": 1000, "start_before_days": 400, "start_after_days": 400},
    "known": [{"key": "early", "title": "early PIRA", "what": "event before", "definition": "mueller-2023", "event": "PIRA"}],
    "outcome": [{"key": "worse", "title": "first worsening", "kind": "disability", "definition": "cdw-12w", "event": "worsening"}],
    "analysis": [{"key": "rates", "title": "rates", "kind": "rates", "outcomes": ["worse"], "by": "early"}],
}
DAYS = (0, 200, 400, 800, 1000, 1001, 1400, 1800)


def early(scores: dict[str, tuple[float, ...]], days: tuple[int, ...] = DAYS) -> dict[str, str | None]:
    """Return what the study says of each person; scores as many as days."""
    rows = [(who, day, score) for who, mine in scores.items() for day, score in zip(days, mine, strict=True)]
    visits = pl.DataFrame(rows, schema=["patient", "date", "edss"], orient="row")
    patients = pl.DataFrame({"patient": list(scores), "onset_date": [0] * len(scores)})
    cohort = read({"visits": visits, "patients": patients}, nobody_relapsed=True)
    people = run_study(study_from(LANDMARK, where="test"), cohort).followed.people
    return dict(people.select("patient", "early").iter_rows())


def test_a_worsening_counts_once_it_is_confirmed_on_or_before_the_day() -> None:
    """The step of day 800 is confirmed at day 1000, time zero itself; that of day 1000 not before day 1400."""
    found = early({"A": (2, 2, 2, 3.5, 3.5, 3.5, 3.5, 3.5), "B": (2, 2, 2, 2, 3.5, 3.5, 3.5, 3.5), "C": (2, 2, 2, 2, 2, 2, 2, 2)})
    assert found == {"A": "yes", "B": "no", "C": "no"}


def test_the_future_changes_nothing() -> None:
    """A and B have the same scores up to time zero; one recovers afterwards and one does not."""
    days = (0, 200, 400, 900, 1100, 1400)
    found = early({"A": (2, 2, 2, 3.5, 3.5, 3.5), "B": (2, 2, 2, 3.5, 2, 2)}, days)
    assert found["A"] == found["B"] == "no"
