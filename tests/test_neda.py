"""NEDA-3 and NEDA-4: hand-worked patients and their near misses; what is not known stays unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from smoulder.engine.beside.neda import NEDA_SCHEMA, neda
from smoulder.errors import DefinitionError, UsageError
from smoulder.outcome import Outcome
from smoulder.rulebook import definition
from smoulder.rulebook.neda import WITHOUT_GD, BrainVolume, Scans, neda_rule
from smoulder.tables import Cohort
from tests.cohorts import cohort_of

YEAR = "0:2.0 90:2.0 180:2.0 270:2.0 365:2.0"
CLEAN = ((0, 3, 1, 2), (365, 0, 0, 0))
"""A baseline scan with lesions, which are from before, and one at the end without."""

ScanRows = Sequence[tuple[float | None, ...]]


def with_scans(cohort: Cohort, scans: Mapping[str, ScanRows], columns: Sequence[str] = ("new_t2", "enlarging_t2", "gd")) -> Cohort:
    """Return the cohort with an MRI table: patient -> (day, counts in the order of the columns)."""
    schema: dict[str, Any] = {"patient": pl.String, "day": pl.Int32}
    schema |= {name: pl.Float64 if name == "brain_volume" else pl.Int32 for name in columns}
    rows = [(patient, *row) for patient in sorted(scans) for row in scans[patient]]
    return replace(cohort, mri=pl.DataFrame(rows, schema=schema, orient="row"))


def one(
    edss: str = YEAR,
    relapses: Sequence[int] = (),
    scans: ScanRows | None = CLEAN,
    *,
    columns: Sequence[str] = ("new_t2", "enlarging_t2", "gd"),
    key: str = "cdw-12w",
    settings: Mapping[str, Any] | None = None,
    **about: Any,
) -> dict[str, Any]:
    """Return the row of a patient A."""
    cohort = cohort_of({"A": {"edss": edss}}, {"A": relapses}, measures=["edss"], **about)
    if scans is not None:
        cohort = with_scans(cohort, {"A": scans}, columns)
    return of(cohort, key, settings).table.row(0, named=True)


def of(cohort: Cohort, key: str = "cdw-12w", settings: Mapping[str, Any] | None = None, explain: Sequence[str] = ()) -> Outcome:
    return neda(cohort, neda_rule(definition(key), **(settings or {})), explain)


def test_free_of_everything() -> None:
    row = one()
    assert row["neda"] is True
    assert (row["no_relapse"], row["no_worsening"], row["no_mri_activity"], row["no_brain_volume_loss"]) == (True, True, True, None)
    assert (row["window_start_day"], row["window_end_day"], row["relapses"], row["scans"]) == (0, 365, 0, 1)
    assert (row["failed_for"], row["unknown_for"]) == ("", "")


@pytest.mark.parametrize(
    ("relapse", "free"),
    [(-1, True), (0, False), (365, False), (366, True)],
)
def test_the_window_has_both_ends(relapse: int, free: bool) -> None:
    row = one(relapses=[relapse])
    assert (row["no_relapse"], row["neda"], row["relapses"]) == (free, free, 0 if free else 1)


@pytest.mark.parametrize(
    ("last", "free"),
    [(335, True), (334, None)],
)
def test_how_early_follow_up_may_end(last: int, free: bool | None) -> None:
    row = one(edss=f"0:2.0 180:2.0 {last}:2.0", scans=((300, 0, 0, 0),))
    assert (row["no_relapse"], row["no_worsening"], row["no_mri_activity"], row["neda"]) == (free, free, True, free)


def test_short_follow_up_does_not_excuse_a_relapse() -> None:
    row = one(edss="0:2.0 100:2.0", relapses=[50])
    assert (row["no_relapse"], row["neda"], row["no_worsening"]) == (False, False, None)


@pytest.mark.parametrize(
    ("recorded", "free"),
    [((0, 365), True), ((30, 335), True), ((31, 365), None), ((0, 334), None), ((None, 334), None), ((31, None), None)],
)
def test_relapse_recording_must_cover_the_window(recorded: tuple[int | None, int | None], free: bool | None) -> None:
    row = one(recorded={"A": recorded})
    assert (row["no_relapse"], row["neda"]) == (free, free)


def test_no_relapse_table_is_not_no_relapse() -> None:
    row = one(knowledge="unknown")
    assert (row["no_relapse"], row["relapses"], row["neda"]) == (None, None, None)
    assert row["unknown_for"] == "relapse: there is no table of relapses"
    assert one(knowledge="none")["no_relapse"] is True


# Worsening


@pytest.mark.parametrize(
    ("edss", "free", "day"),
    [
        ("0:2.0 180:3.0 264:3.0 365:3.0", False, 180),
        ("0:2.0 180:3.0 263:3.0 365:2.0", True, None),  # 83 days, and back at the next visit
        ("0:2.0 180:2.5 264:2.5 365:2.5", True, None),
        ("0:2.0 180:2.0 365:3.0 449:3.0", False, 365),
        ("0:2.0 180:2.0 366:3.0 450:3.0", True, None),
        ("0:2.0 180:2.0 365:3.0 448:3.0", None, None),
        ("0:2.0 180:2.0 365:3.0", None, None),
    ],
)
def test_worsening_counts_once_confirmed(edss: str, free: bool | None, day: int | None) -> None:
    row = one(edss=edss)
    assert (row["no_worsening"], row["neda"], row["worsening_day"]) == (free, free, day)


def test_a_worsening_that_nothing_could_confirm_is_unknown() -> None:
    row = one(edss="0:2.0 180:2.0 365:3.0")
    assert row["unknown_for"] == "worsening: worse on day 365, and no visit could confirm it"


def test_visits_must_lie_in_the_window() -> None:
    assert one(edss="0:2.0 800:2.0")["no_worsening"] is None
    assert one(edss="0:2.0 365:2.0")["no_worsening"] is True
    assert one(edss="0:2.0 366:2.0")["no_worsening"] is None
    assert one(edss="0:2.0")["no_worsening"] is None


@pytest.mark.parametrize(("first", "free"), [(30, True), (31, None)])
def test_the_measure_must_be_seen_from_the_start(first: int, free: bool | None) -> None:
    cohort = cohort_of({"A": {"sdmt": "0:50", "edss": f"{first}:2.0 180:2.0 365:2.0"}})
    row = of(with_scans(cohort, {"A": CLEAN})).table.row(0, named=True)
    assert (row["no_relapse"], row["no_worsening"]) == (True, free)


def test_without_a_baseline_nothing_is_ruled_out() -> None:
    far = definition("cdw-12w").changed({"baseline.days_after_relapse": 366})
    cohort = with_scans(cohort_of({"A": {"edss": YEAR}}, {"A": [-1]}), {"A": CLEAN})
    assert neda(cohort, neda_rule(far)).table["unknown_for"].to_list() == ["worsening: no visit with the EDSS could serve as baseline"]


def test_what_is_unconfirmed_after_the_window_does_not_matter() -> None:
    assert one(edss="0:2.0 180:2.0 365:2.0 600:3.0")["neda"] is True


def test_every_measure_of_a_composite_must_be_known() -> None:
    walk = {"edss": YEAR, "t25fw": "0:5 180:5 365:5", "nhpt_dominant": "0:20 180:20 365:20", "nhpt_nondominant": "0:20 180:20 365:20"}
    short = walk | {"t25fw": "0:5 180:5"}
    table = of(with_scans(cohort_of({"A": walk, "B": short}), {"A": CLEAN, "B": CLEAN}), "edss-plus").table
    assert table["no_worsening"].to_list() == [True, None]
    assert table["unknown_for"][1] == "worsening: the last visit with the T25FW is that of day 180"


SECOND_YEAR = "0:2.0 180:3.0 360:3.0 540:3.0 730:3.0"
LATER = {"from_day": 365, "to_day": 730}


@pytest.mark.parametrize(
    ("reference", "free"),
    [("last visit up to the window", True), ("first visit in the window", None), ("as the definition says", None)],
)
def test_a_worsening_before_the_window_is_not_counted_in_it(reference: str, free: bool | None) -> None:
    # Compared with day 360 nothing got worse; day 540 comes too late to see the start; a first worsening ends the search at day 180.
    row = one(edss=SECOND_YEAR, scans=((730, 0, 0, 0),), settings=LATER | {"reference": reference})
    assert (row["no_worsening"], row["neda"]) == (free, free)


def test_a_second_worsening_is_seen_from_a_new_reference() -> None:
    row = one(edss="0:2.0 180:3.0 360:3.0 540:4.0 730:4.0", settings=LATER)
    assert (row["no_worsening"], row["worsening_day"]) == (False, 540)
    ended = one(edss="0:2.0 180:3.0 360:3.0 540:4.0 730:4.0", settings=LATER | {"reference": "as the definition says"})
    assert ended["no_worsening"] is None
    assert "the search ended with the worsening of day 180" in ended["unknown_for"]


def test_re_baselining_forgets_what_was_before() -> None:
    settings = {"from_day": 180, "to_day": 365}
    early = one(edss="0:2.0 90:3.0 180:3.0 270:3.0 365:3.0", relapses=[60], settings=settings)
    assert early["neda"] is True
    on_the_day = one(edss="0:2.0 90:2.0 180:3.0 270:3.0 365:3.0", settings=settings)
    assert on_the_day["neda"] is True  # the visit on the first day is the new reference
    assert one(edss="0:2.0 90:2.0 181:3.0 270:3.0 365:3.0", settings=settings)["neda"] is False
    assert one(relapses=[180], settings=settings)["neda"] is False
    assert one(relapses=[179], settings=settings)["neda"] is True


def test_time_zero() -> None:
    settings = {"start": "time zero"}
    assert one(edss="70:2.0 280:2.0 465:2.0", scans=((465, 0, 0, 0),), time_zero={"A": 100}, settings=settings)["neda"] is True
    unplaced = one(settings=settings)
    assert (unplaced["window_start_day"], unplaced["neda"], unplaced["relapses"]) == (None, None, None)
    assert "time zero is not known" in unplaced["unknown_for"]


def test_a_definition_that_passes_worsening_over_is_refused() -> None:
    first_pira = definition("mueller-2025").changed(looking_for="first PIRA")
    with pytest.raises(DefinitionError, match="looks for the first PIRA and passes other worsening over"):
        neda_rule(first_pira)
    with pytest.raises(DefinitionError, match=r"ends \(day 10\) before or on the day it starts \(day 10\)"):
        neda_rule(definition("cdw-12w"), from_day=10, to_day=10)


# MRI


@pytest.mark.parametrize(
    ("scans", "free"),
    [
        (((1, 1, 0, 0), (365, 0, 0, 0)), False),
        (((0, 1, 0, 0), (365, 0, 0, 0)), True),  # the scan on the first day is the baseline
        (((365, 0, 0, 1),), False),
        (((366, 0, 0, 1),), None),
        (((365, 0, 1, 0),), False),
        (((182, 0, 0, 0),), True),
        (((181, 0, 0, 0),), None),
        (((300, None, 0, 0),), None),
        (((300, 0, 0, None),), None),
        (((300, 0, None, 0),), None),
        (((300, 1, None, None),), False),
        (((200, 0, 0, 0), (300, None, None, None)), True),
        ((), None),
    ],
)
def test_mri_activity(scans: ScanRows, free: bool | None) -> None:
    row = one(scans=scans)
    assert (row["no_mri_activity"], row["neda"]) == (free, free)


def test_without_a_table_of_scans_nothing_is_known() -> None:
    row = one(scans=None)
    assert (row["no_mri_activity"], row["scans"], row["neda"]) == (None, None, None)


def test_counts_that_the_table_lacks() -> None:
    assert one(scans=((365, 0, 0),), columns=("new_t2", "gd"))["neda"] is True
    assert one(scans=((365, 0),), columns=("new_t2",))["neda"] is None
    t2 = {"scans": Scans(needed=WITHOUT_GD)}
    assert one(scans=((365, 0),), columns=("new_t2",), settings=t2)["neda"] is True
    assert one(scans=((365, 0, 0, None),), settings=t2)["neda"] is True
    assert one(scans=((365, 0, 0, 1),), settings=t2)["neda"] is False
    assert one(scans=((365, 0, None, None),), settings=t2)["neda"] is None


@pytest.mark.parametrize(("day", "free"), [(30, True), (31, False)])
def test_baseline_scans_may_come_late(day: int, free: bool) -> None:
    row = one(scans=((day, 0, 0, 2), (365, 0, 0, 0)), settings={"scans": Scans(baseline_days=30)})
    assert row["neda"] is free


def test_needed_counts_must_count() -> None:
    with pytest.raises(ValueError, match="needed names gadolinium-enhancing"):
        Scans(counts=("new_t2",))


# Brain volume

VOLUMES = ("new_t2", "enlarging_t2", "gd", "brain_volume")


def volume(*scans: tuple[int, float | None], limit: BrainVolume | None = None, to_day: int = 1461) -> dict[str, Any]:
    rows = tuple((day, 0, 0, 0, value) for day, value in scans)
    edss = f"0:2.0 {to_day // 2}:2.0 {to_day}:2.0"
    return one(edss=edss, scans=rows, columns=VOLUMES, settings={"to_day": to_day, "brain_volume": limit or BrainVolume()})


@pytest.mark.parametrize(
    ("scans", "free"),
    [
        (((0, 1000.0), (1461, 984.0)), True),  # four years of 365.25 days, 1.6 %: exactly 0.4 % a year
        (((0, 1000.0), (1461, 983.9)), False),
        (((0, 1500.3), (1461, 1476.2952)), True),  # the same, where floating point is a hair off
        (((0, 1000.0), (1460, 984.0)), False),  # a day less makes it more a year
        (((0, 1000.0), (1461, 1010.0)), True),
        (((-20, 1000.0), (1461, 983.9)), True),  # from the last scan up to the start
        (((-400, 1100.0), (0, 1000.0), (1461, 984.0)), True),
        (((100, 1000.0), (1461, 983.9)), False),  # without one, from the first in the window
        (((0, 1000.0), (1462, 900.0)), None),
        (((0, 1000.0), (1461, None)), None),
        (((0, 0.0), (1461, 900.0)), None),
        (((1461, 900.0),), None),
    ],
)
def test_brain_volume(scans: tuple[tuple[int, float | None], ...], free: bool | None) -> None:
    assert volume(*scans)["no_brain_volume_loss"] is free


@pytest.mark.parametrize(("apart", "free"), [(180, False), (179, None)])
def test_scans_must_be_far_enough_apart_for_a_rate(apart: int, free: bool | None) -> None:
    row = volume((0, 1000.0), (apart, 900.0), to_day=200)
    assert row["no_brain_volume_loss"] is free
    assert (row["brain_volume_percent_a_year"] is None) == (free is None)


def test_the_rate_is_told() -> None:
    assert volume((0, 1000.0), (1461, 984.0))["brain_volume_percent_a_year"] == -0.4


def test_without_volumes_neda_4_is_unknown_and_neda_3_is_not() -> None:
    assert one(settings={"brain_volume": BrainVolume()})["neda"] is None
    assert one(relapses=[10], settings={"brain_volume": BrainVolume()})["neda"] is False
    assert one()["neda"] is True


# The whole


def test_counts_say_what_they_are_out_of() -> None:
    people = {name: {"edss": YEAR} for name in "ABCD"}
    cohort = with_scans(cohort_of(people, {"B": [100]}), {"A": CLEAN, "B": CLEAN, "C": CLEAN[:1]})
    found = of(cohort)
    assert found.table["neda"].to_list() == [True, False, None, None]
    shares = {line: (share.numerator, share.denominator) for line, share in found.counts}
    assert shares == {
        "NEDA-3 (no evidence of disease activity)": (1, 4),
        "disease activity": (1, 4),
        "unknown": (2, 4),
        "NEDA-3, of those who can be told": (1, 2),
        "no relapse, of those known": (3, 4),
        "no worsening, of those known": (4, 4),
        "no MRI activity, of those known": (2, 2),
    }
    assert found.provenance.definitions == (definition("cdw-12w"),)
    assert any("2 patients unknown" in note for note in found.notes)


def test_a_lesion_that_may_be_older_is_told() -> None:
    said = "1 patient with MRI activity had no scan up to the start of the window: a lesion may be older."
    cohort = cohort_of({"A": {"edss": YEAR}})
    assert said in of(with_scans(cohort, {"A": ((200, 1, 0, 0),)})).notes
    assert said not in of(with_scans(cohort, {"A": ((0, 0, 0, 0), (200, 1, 0, 0))})).notes


def test_the_explanation() -> None:
    cohort = with_scans(cohort_of({"A": {"edss": "0:2.0 180:3.0 264:3.0 365:3.0"}}), {"A": ()})
    assert of(cohort, explain=["A"]).reasons["A"] == (
        "The window is day 0 to day 365.",
        "Relapse: none; no relapse was recorded in the window.",
        "Worsening: yes; confirmed worsening, onset day 180.",
        "MRI activity: unknown; there is no scan in the window.",
        "Not NEDA-3: there was disease activity.",
    )
    with pytest.raises(UsageError, match="There is no patient 'Z'"):
        of(cohort, explain=["Z"])


def test_nobody_at_all() -> None:
    found = of(cohort_of({}, measures=["edss"]))
    assert found.table.schema == NEDA_SCHEMA
    assert found.table.height == 0
    assert "no share: nobody could be assessed" in found.text()


def test_a_patient_without_the_measure_is_unknown() -> None:
    cohort = cohort_of({"A": {"edss": YEAR}, "B": {"sdmt": "0:50 365:50"}})
    assert of(with_scans(cohort, {"A": CLEAN, "B": CLEAN})).table["no_worsening"].to_list() == [True, None]


def test_a_measure_that_nobody_has_is_refused() -> None:
    with pytest.raises(UsageError, match="There is no measure 'edss'"):
        of(cohort_of({"A": {"sdmt": "0:50"}}))


def test_prose_follows_the_settings() -> None:
    three = neda_rule(definition("cdw-12w"))
    four = neda_rule(definition("cdw-12w"), brain_volume=BrainVolume(most_loss_percent=0.5), tolerance_days=0)
    assert (three.name, four.name) == ("NEDA-3", "NEDA-4")
    assert "brain volume" not in three.prose().split("Source:")[0]
    assert "more than 0.5 % a year was activity" in four.prose()
    assert "tolerance days" in three.prose()
    assert "tolerance days" not in four.prose()
