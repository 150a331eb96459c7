"""The catalogue: every worked patient through both engines, and what every entry owes its reader.

The worked examples X1 to X21 are those of a survey of published definitions and programs: each is one patient on whom definitions
disagree, with the answers that the programs gave. Encoded here as far as catalogue definitions, or one of them with a setting changed,
give an answer. Not encoded, because a part of a later issue is needed:

- the answers of drstrupf in X4b to X7, X9, X14 and X16 (a roving reference that has to be confirmed itself, a new reference only 90 days
  after a relapse, "PIRA with relapse during confirmation");
- the answers of msclinical in X7, X9 and X16 (RAW by any relapse between onset and confirmation), and of Stata in X10 (the windows the
  other way round);
- the end dates of relapses (msprog in R);
- X22 for a composite that any component may confirm, X24 (MRI), X26 (a threshold of SDMT that no catalogue definition has), and X27 in
  MSoutcomes (no catalogue definition has its improvement).
"""

# One case a line reads best, however long.
# ruff: noqa: E501
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from cohorts import cohort_of, cohort_of_worked

from smoulder.engine.detect import detect
from smoulder.engine.pack import record_of
from smoulder.engine.record import LABELS
from smoulder.engine.reference import scan
from smoulder.errors import DefinitionError, UsageError
from smoulder.rulebook import Definition, catalogue, definition, definitions, grid, grids, load_definition, resolve, traps
from smoulder.rulebook.catalogue import WorkedPatient, entry, keys
from smoulder.rulebook.pages import confirmed_text, moves_text, pages, sections, write
from smoulder.tables import Cohort
from smoulder.terms import MEASURES

KEYS = keys()
PATIENTS = [pytest.param(key, number, id=f"{key}-{number}") for key in KEYS for number in range(len(entry(key).patients))]
PAIRS = [pytest.param(key, number, id=f"{key}-{number}") for key in KEYS for number in range(0, len(entry(key).patients), 2)]

FoundEvent = tuple[str, str, str | None, int, int | None]
"""Measure, kind, label, day of onset, day of the earliest confirming visit."""


def by_reference(cohort: Cohort, rules: Definition) -> list[FoundEvent]:
    """Return the events of the only patient of a cohort, by the readable engine."""
    events: list[FoundEvent] = []
    for rule in rules.measures:
        record = record_of(cohort, 0, rule, rules)
        for found in scan(record, rule, rules):
            if found.reason == 0:
                confirming = [record.days[visit] for visit in found.confirmations if visit >= 0]
                kind = "worsening" if found.worsening else "improvement"
                events.append((rule.measure, kind, LABELS[found.label], record.days[found.onset], min(confirming, default=None)))
    return events


def by_kernel(cohort: Cohort, rules: Definition) -> list[FoundEvent]:
    """Return the events of the only patient of a cohort, by `detect`."""
    events: list[FoundEvent] = []
    for row in detect(cohort, rules).table.iter_rows(named=True):
        days = [row[f"confirmed_{window.name}_day"] for window in rules.confirmation.windows]
        earliest = min((day for day in days if day is not None), default=None)
        events.append((row["measure"], row["kind"], row["label"], row["onset_day"], earliest))
    return events


def found(cohort: Cohort, rules: Definition) -> list[FoundEvent]:
    """Return what both engines find."""
    events = by_reference(cohort, rules)
    assert by_kernel(cohort, rules) == events
    return events


# -- the worked patients --------------------------------------------------------------------


@pytest.mark.parametrize(("key", "number"), PATIENTS)
def test_worked_patient(key: str, number: int) -> None:
    patient, rules = entry(key).patients[number], definition(key)
    expected = [(event.measure, event.kind, event.label, event.onset, event.confirmed) for event in patient.events]
    cohort = cohort_of_worked(patient, rules)
    assert found(cohort, rules) == expected, patient.title
    assert detect(cohort, rules).table["mri"].to_list() == [event.mri for event in patient.events], patient.title


def score_step(measure: str) -> float:
    """Return half a point of the EDSS, and a hundredth of a second."""
    return MEASURES[measure].grid or 0.01


@pytest.mark.parametrize(("key", "number"), PAIRS)
def test_worked_patients_come_in_pairs_a_step_apart(key: str, number: int) -> None:
    one, other = entry(key).patients[number : number + 2]
    assert steps_apart(one, other) == 1, (one.title, other.title)
    assert one.events != other.events
    assert one.title != other.title


def steps_apart(one: WorkedPatient, other: WorkedPatient) -> int:
    """Return in how many things two patients differ: a visit day by one, a relapse day by one, a score by one step; 99 for more."""
    here, there = one.visit_rows(), other.visit_rows()
    if len(here) != len(there) or len(one.relapses) != len(other.relapses):
        return 99
    if len(one.scans) != len(other.scans) or len(one.unscheduled) != len(other.unscheduled):
        return 99
    sizes: list[float] = [abs(a - b) for a, b in zip(one.relapses, other.relapses, strict=True)]
    sizes += [abs(a - b) for a, b in zip(one.unscheduled, other.unscheduled, strict=True)]
    sizes += [abs((getattr(one, zero) or 0) - (getattr(other, zero) or 0)) for zero in ("time_zero", "diagnosis")]
    for (day, counts), (other_day, other_counts) in zip(one.scans.items(), other.scans.items(), strict=True):
        sizes.append(abs(int(day) - int(other_day)))
        sizes += [abs(counts[name] - other_counts[name]) for name in counts]
    for a, b in zip(here, there, strict=True):
        assert a.keys() == b.keys()
        sizes.append(abs(a["date"] - b["date"]))
        sizes += [round(abs(a[m] - b[m]) / score_step(m), 9) for m in a if m != "date"]
    different = [size for size in sizes if size]
    return len(different) if all(size == 1 for size in different) else 99


def test_steps_apart_sees_a_second_difference() -> None:
    def patient(edss: str, relapses: tuple[int, ...] = ()) -> WorkedPatient:
        return WorkedPatient(title="", visits={"edss": edss}, relapses=relapses, because="")

    assert steps_apart(patient("0:2.0 90:3.0"), patient("0:2.0 91:3.0")) == 1
    assert steps_apart(patient("0:2.0 90:3.0"), patient("0:2.0 91:3.5")) == 2
    assert steps_apart(patient("0:2.0 90:3.0"), patient("0:2.0 90:4.0")) == 99
    assert steps_apart(patient("0:2.0", (3,)), patient("0:2.0", (4,))) == 1


# -- every entry ----------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_key_is_the_file_name(key: str) -> None:
    assert definition(key).key == key


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_has_its_evidence_once(key: str) -> None:
    source = definition(key).source
    marks = [*source.seen, *source.assumed, *source.code]
    assert sorted(marks) == sorted(definition(key).settings())


@pytest.mark.parametrize("key", KEYS)
def test_marks_stand_in_the_order_of_the_settings(key: str) -> None:
    rules = definition(key)
    for marks in (rules.source.seen, rules.source.assumed, rules.source.code):
        assert list(marks) == [path for path in rules.settings() if path in marks]


@pytest.mark.parametrize("key", KEYS)
def test_source_is_cited(key: str) -> None:
    source = definition(key).source
    assert source.citation.endswith(".")
    assert re.fullmatch(r"(10\.\d{4,}/\S+)?", source.doi)
    # Without a paper nothing can have been read.
    assert source.year is not None or not source.seen


@pytest.mark.parametrize("key", KEYS)
def test_toml_round_trip(key: str, tmp_path) -> None:
    rules = definition(key)
    path = tmp_path / "mine.toml"
    path.write_text(rules.toml(), encoding="utf-8")
    again = load_definition(path)
    assert again == rules
    assert hash(again) == hash(rules)


@pytest.mark.parametrize("key", KEYS)
def test_prose_reads_as_a_paragraph(key: str) -> None:
    rules = definition(key)
    assert_paragraph(rules.prose())
    for window in rules.confirmation.windows:
        # Two visits at set times lie as far apart as they do; a window that says so would read as a rule of its own.
        stated = not rules.confirmation.window_follows_from(rules.onset)
        assert (f"({window.name})" in rules.prose()) == stated
        assert (f"{window.from_day} " in rules.prose()) == stated


@pytest.mark.parametrize("key", KEYS)
def test_page_reads_as_paragraphs(key: str) -> None:
    page = entry(key).page
    for text in (page.counts, page.why, page.differs, page.traps or "None."):
        assert_paragraph(text)
    for patient in entry(key).patients:
        assert_paragraph(patient.because)


def assert_paragraph(text: str) -> None:
    assert text.strip() == text
    assert text.endswith(".")
    assert "  " not in text
    assert ".." not in text.replace(" .. ", "")
    assert "None" not in text.replace("None.", "")
    for left, right in ("()", "[]"):
        assert text.count(left) == text.count(right)
    assert text.count('"') % 2 == 0
    for sentence in re.split(r"(?<=[a-z)\d])\. ", text):
        assert not sentence[0].islower() or sentence.startswith(("mueller", "kappos", "msprog", "cdw", "graf", "edss", "msbase")), sentence


def test_keys_and_definitions_agree() -> None:
    assert tuple(rules.key for rules in definitions()) == KEYS
    assert len(set(definitions())) == len(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_no_entry_leaves_a_raw_plateau_to_be_found_as_pira(key: str) -> None:
    assert not any("met again and called PIRA" in sentence for sentence in traps(definition(key)))


ALL_SHIPPED = [*definitions(), *(one for key in grids() for one in grid(key).definitions())]


def test_no_shipped_definition_finds_one_lasting_improvement_again_and_again() -> None:
    """Improvement counts only where the baseline moves on it, where each visit has its own baseline, or where the first is looked for."""
    found = [
        rules.key
        for rules in ALL_SHIPPED
        if rules.looking_for == "every event"
        and rules.finds_improvement
        and rules.baseline.start != "previous visit"
        and "improvement" not in rules.baseline.moves_after
    ]
    assert found == []


def test_one_lasting_improvement_is_at_most_one_event() -> None:
    better = {"edss": "0:4.0 91:2.0 182:2.0 273:2.0 364:2.0 455:2.0 546:2.0", "t25fw": "0:10 91:5 182:5 273:5 364:5 455:5 546:5"}
    hand = "0:40 91:20 182:20 273:20 364:20 455:20 546:20"
    cohort = cohort_of({"A": better | {"nhpt_dominant": hand, "nhpt_nondominant": hand}}, diagnosis={"A": 0}, time_zero={"A": 0})
    alike = {frozenset((path, str(value)) for path, value in rules.settings().items()): rules for rules in ALL_SHIPPED}
    able = [rules for rules in alike.values() if all(cohort.has_measure(rule.measure) for rule in rules.measures)]
    table = detect(cohort, able).table
    assert table.filter(table["kind"] == "improvement").group_by("definition", "measure").len().filter(pl.col("len") > 1).is_empty()
    assert table.filter(table["kind"] == "improvement")["definition"].n_unique() > 10


@pytest.mark.parametrize(
    "key", ["kappos-2020-edss", "mueller-2025-grid.pira-6m-score-90d-30d", "mueller-2025-grid.relapse-6m-score-90d-30d"]
)
def test_that_no_improvement_counts_is_marked_as_assumed(key: str) -> None:
    rules = definition(key)
    assert not rules.finds_improvement
    assert "edss.improvement" in rules.source.assumed
    assert "Improvement was not looked for." in rules.prose()


def test_unknown_key_names_the_near_one() -> None:
    with pytest.raises(UsageError, match="There is no definition 'kapos-2020'; did you mean 'kappos-2020'"):
        definition("kapos-2020")


def test_an_unknown_key_is_met_with_how_many_there_are_of_each_kind() -> None:
    with pytest.raises(
        UsageError, match=rf"^There is no definition 'nosuch' among the {len(KEYS)} definitions and {len(grids())} grids there are\.$"
    ):
        definition("nosuch")


def test_definition_takes_a_path(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(definition("graf-2021").toml(), encoding="utf-8")
    assert definition(path) == definition(str(path)) == definition("graf-2021")


def test_resolve() -> None:
    both = resolve(["cdw-12w", definition("cdw-24w")])
    assert [rules.key for rules in both] == ["cdw-12w", "cdw-24w"]
    assert resolve("cdw-12w") == (definition("cdw-12w"),) == resolve(definition("cdw-12w"))
    with pytest.raises(UsageError, match="No definition is given"):
        resolve([])
    with pytest.raises(UsageError, match=r"Two definitions have the key 'cdw-12w'; give each its own\."):
        resolve(["cdw-12w", "cdw-12w"])


def test_a_fault_in_an_entry_names_the_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "bad.toml").write_text(
        definition("cdw-12w").toml() + '\n[page]\ncounts = "x"\n\n[[patients]]\ntitle = "y"\n', encoding="utf-8"
    )
    monkeypatch.setattr(catalogue, "_HOME", tmp_path)
    with pytest.raises(DefinitionError, match=r"catalogue/bad\.toml"):
        catalogue.entry.__wrapped__("bad")


# -- what single definitions must do beyond their worked patients ------------------------------


def test_composite_flags_the_earliest_measure() -> None:
    visits = {"edss": "0:2.0 84:2.0 168:3.0 252:3.0", "t25fw": "0:5.0 84:6.5 168:6.5 252:6.5", "nhpt": "0:20 84:20 168:20 252:20"}
    table = detect(cohort_of({"A": visits}), "kappos-2020").table
    flagged = table.filter(table["composite"])
    assert flagged.select("measure", "onset_day").rows() == [("t25fw", 84)]


def test_the_mean_of_two_hands_and_either_hand_are_different_rules() -> None:
    # X23: 9HPT dominant 20, 25, 20, 20 and other hand 22, 22, 28, 28.
    hands = {"nhpt_dominant": "0:20 84:25 168:20 252:20 336:20", "nhpt_nondominant": "0:22 84:22 168:28 252:28 336:28"}
    steady = {"edss": "0:4.0 84:4.0 168:4.0 252:4.0 336:4.0", "t25fw": "0:8 84:8 168:8 252:8 336:8"}
    cohort = cohort_of({"A": hands | steady})
    assert found(cohort, definition("edss-plus")) == [("nhpt_nondominant", "worsening", None, 168, 336)]
    assert found(cohort, definition("kappos-2020-nhpt")) == []


def test_a_component_is_confirmed_on_itself() -> None:
    # X22: the walk is slow once, then the hand is.
    visits = {"edss": "0:4 84:4 168:4 252:4", "t25fw": "0:6.0 84:7.5 168:6.2 252:6.1"}
    visits |= {"nhpt_dominant": "0:20 84:20 168:25 252:20.5", "nhpt_nondominant": "0:20 84:20 168:20 252:20"}
    assert found(cohort_of({"A": visits}), definition("edss-plus")) == []


# -- the worked examples ----------------------------------------------------------------------

NOTHING = None


def first_worsening(edss: str, relapses: Sequence[int], rules: Definition) -> tuple[str | None, int] | None:
    """Return label and onset day of the first worsening; None for none."""
    cohort = cohort_of({"A": {"edss": edss}}, {"A": relapses})
    worsening = [event for event in found(cohort, rules) if event[1] == "worsening"]
    return (worsening[0][2], worsening[0][3]) if worsening else None


K20, C22, M23, M25, MSBASE = "kappos-2020-edss", "cagol-2022", "mueller-2023", "mueller-2025", "msbase-dzau-2023"
SPECIFIC, GRAF, CDW12, CDW24, P25 = "mueller-2023-specific", "graf-2021", "cdw-12w", "cdw-24w", "portaccio-2025"

X8_SERIES = "0:2.0 90:2.0 180:3.0 270:3.0 360:3.0 450:3.0"
X6_SERIES = "0:2.0 180:3.0 270:3.0 360:3.0"
X15_SERIES = "0:2.0 180:3.0 270:3.0 360:2.0 450:2.0"
DENSE, SPARSE = "0:2.0 120:2.0 240:3.0 360:3.0 480:3.0 620:3.0", "0:2.0 240:3.0 480:3.0 620:3.0"
TWELVE_WEEKS = [{"name": "12w", "from_day": 84}]

EXAMPLES = [
    # name, EDSS, relapses, {definition: (label, onset)}
    ("X1 from 5.5", "0:5.5 90:6.0 180:6.0 300:6.0", [], {M23: ("PIRA", 90), P25: ("PIRA", 90), C22: ("PIRA", 90)}),
    ("X1 from 5.5", "0:5.5 90:6.0 180:6.0 300:6.0", [], {K20: NOTHING, MSBASE: NOTHING, CDW12: NOTHING}),
    ("X2 from 0", "0:0.0 90:1.0 180:1.0 300:1.0", [], {M23: NOTHING, MSBASE: NOTHING, CDW12: NOTHING, K20: ("PIRA", 90)}),
    ("X3 half a point", "0:4.0 90:4.5 180:4.5 300:4.5", [], {GRAF: ("PIRA", 90), M23: NOTHING, K20: NOTHING, MSBASE: NOTHING, CDW12: NOTHING}),
    ("X4 after improvement", "0:3.0 90:2.0 180:2.0 270:3.0 360:3.0 450:3.0", [], {CDW12: NOTHING, C22: NOTHING, M23: ("PIRA", 270)}),
    ("X4b small improvement", "0:2.5 90:2.0 180:2.0 270:3.0 360:3.0 450:3.0", [], {M23: NOTHING}),
    ("X5 better after a relapse", "0:3.0 90:2.0 180:2.0 270:3.0 360:3.0 450:3.0", [100], {K20: NOTHING, C22: NOTHING, M23: ("PIRA", 270)}),
    ("X6 seen late", X6_SERIES, [40], {C22: ("PIRA", 180), M23: ("PIRA", 180), SPECIFIC: ("undefined", 180), K20: NOTHING, MSBASE: NOTHING}),
    ("X7 relapse before confirmation", X6_SERIES, [220], {K20: ("PIRA", 180), M23: ("PIRA", 180), C22: ("undefined", 180), MSBASE: ("PIRA", 180)}),
    ("X7b one visit less", "0:2.0 180:3.0 270:3.0", [220], {M23: ("undefined", 180), K20: ("PIRA", 180)}),
    ("X8 RAW", X8_SERIES, [120], {K20: ("RAW", 180), M23: ("RAW", 180), C22: ("RAW", 180), P25: ("RAW", 180)}),
    ("X9 relapse after onset", X8_SERIES, [200], {K20: ("undefined", 180), M23: ("undefined", 180), C22: ("undefined", 180), MSBASE: ("PIRA", 180)}),
    ("X10 relapse 60 days before", X8_SERIES, [120], {K20: ("RAW", 180), M23: ("RAW", 180)}),
    ("X10 relapse 60 days after", X8_SERIES, [240], {K20: ("PIRA", 180), M23: ("PIRA", 180)}),
    ("X13 80 days", "0:2.0 90:3.0 170:3.0", [], {CDW12: NOTHING}),
    ("X13 90 days", "0:2.0 90:2.0 180:3.0 270:3.0 360:2.0", [], {CDW12: (None, 180), MSBASE: NOTHING}),
    ("X13 910 days", "0:2.0 90:3.0 1000:3.0", [], {CDW12: (None, 90)}),
    ("X14 last visit", "0:2.0 90:2.0 180:3.0", [], {CDW12: NOTHING, M23: NOTHING, K20: NOTHING, MSBASE: NOTHING}),
    ("X15 not sustained", X15_SERIES, [], {CDW12: (None, 180), MSBASE: NOTHING}),
    ("X16 confirmed near a relapse", "0:2.0 180:3.0 270:3.0", [250], {M23: NOTHING}),
    ("X17 first visit near a relapse", "0:3.5 90:2.0 180:3.5 270:3.5 360:3.5", [-10], {M23: ("PIRA", 180), MSBASE: ("PIRA", 180), CDW12: NOTHING}),
    ("X18 12 or 24 weeks", "0:2.0 90:3.0 180:3.0 270:2.0", [], {CDW12: (None, 90), CDW24: NOTHING}),
    ("X21 dense", DENSE, [60], {M25: ("PIRA", 240), K20: ("PIRA", 240), MSBASE: ("PIRA", 240), M23: ("PIRA", 240)}),
    ("X21 sparse", SPARSE, [60], {M25: NOTHING, K20: NOTHING, MSBASE: NOTHING, M23: ("PIRA", 240)}),
    ("X11 dip", "0:2.0 90:3.0 140:2.5 200:3.0 300:3.0", [], {CDW12: (None, 200)}),
    ("X12 above the threshold", "0:2.0 90:4.0 180:3.0 270:3.0", [], {CDW12: (None, 90)}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edss", "relapses", "key", "expected"),
    [
        pytest.param(edss, relapses, key, expected, id=f"{name} {key}".replace(" ", "-"))
        for name, edss, relapses, answers in EXAMPLES
        for key, expected in answers.items()
    ],
)
def test_worked_example(edss: str, relapses: list[int], key: str, expected: tuple[str | None, int] | None) -> None:
    assert first_worsening(edss, relapses, definition(key)) == expected


CHANGED = [
    ("X4b", "0:2.5 90:2.0 180:2.0 270:3.0 360:3.0 450:3.0", [], M23, {"baseline.sub_threshold": "improvement"}, ("PIRA", 270)),
    ("X5 without the floor", "0:3.0 90:2.0 180:2.0 270:3.0 360:3.0 450:3.0", [100], K20, {"baseline.may_fall": "yes"}, ("PIRA", 270)),
    ("X8 RAW window of 30", X8_SERIES, [120], M23, {"relapses.raw": {"days_before_onset": 30}}, ("undefined", 180)),
    ("X8b plateau", X8_SERIES, [120], C22, {"looking_for": "first PIRA", "confirmation.windows": TWELVE_WEEKS}, ("PIRA", 270)),
    ("X8b roving", X8_SERIES, [120], M23, {"looking_for": "first PIRA"}, NOTHING),
    ("X11 at the visit only", "0:2.0 90:3.0 140:2.5 200:3.0 300:3.0", [], CDW12, {"confirmation.every_visit": False}, (None, 90)),
    ("X12 level", "0:2.0 90:4.0 180:3.0 270:3.0", [], CDW12, {"confirmation.level": "onset"}, (None, 180)),
    ("X13 tolerance of a week", "0:2.0 90:3.0 170:3.0", [], CDW12, {"confirmation.windows": [{"name": "12w", "from_day": 77}]}, (None, 90)),
    ("X13 bounded", "0:2.0 90:3.0 1000:3.0", [], CDW12, {"confirmation.windows": [{"name": "12w", "from_day": 84, "to_day": 814}]}, NOTHING),
    ("X14 counted", "0:2.0 90:2.0 180:3.0", [], CDW12, {"last_visit.worsening": "counted"}, (None, 180)),
    ("X15 sustained", X15_SERIES, [], CDW12, {"sustained.days": "to the end"}, NOTHING),
    ("X15 stopped at day 270", "0:2.0 180:3.0 270:3.0", [], CDW12, {"sustained.days": "to the end"}, (None, 180)),
    ("X16 no distance", "0:2.0 180:3.0 270:3.0", [250], M23, {"confirmation.days_after_relapse": 0}, ("undefined", 180)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edss", "relapses", "key", "settings", "expected"), [pytest.param(*case[1:], id=case[0].replace(" ", "-")) for case in CHANGED]
)
def test_worked_example_with_a_setting_changed(
    edss: str, relapses: list[int], key: str, settings: dict, expected: tuple[str | None, int] | None
) -> None:
    assert first_worsening(edss, relapses, definition(key).changed(settings)) == expected


def test_x7_the_pira_is_confirmed_later_than_the_worsening() -> None:
    table = detect(cohort_of({"A": {"edss": X6_SERIES}}, {"A": [220]}), M23).table
    assert table.select("confirmed_12w_day", "pira_confirmed_12w_day").rows() == [(270, 360)]


@pytest.mark.parametrize(("place", "onsets"), [("confirmation", [180]), ("onset", [180, 270]), ("lowest score", [180, 270])])
def test_x19_where_the_new_reference_goes(place: str, onsets: list[int]) -> None:
    rules = definition(CDW12).changed({"baseline.moves_after": ["worsening"], "baseline.moves_to": place, "looking_for": "every event"})
    cohort = cohort_of({"A": {"edss": "0:2.0 180:3.0 270:4.0 360:4.0 450:4.0 540:4.0"}})
    assert [event[3] for event in found(cohort, rules)] == onsets


def test_x20_first_event_or_all() -> None:
    edss, relapses = "0:2.0 120:3.0 210:3.0 300:3.0 600:4.0 700:4.0 800:4.0", [100]
    cohort = cohort_of({"A": {"edss": edss}}, {"A": relapses})
    assert [(event[2], event[3]) for event in found(cohort, definition(M23))] == [("RAW", 120), ("PIRA", 600)]
    assert first_worsening(edss, relapses, definition(C22)) == ("RAW", 120)
    assert [event[3] for event in found(cohort, definition(C22))] == [120]
    plateau = definition(C22).changed({"looking_for": "first PIRA", "confirmation.windows": TWELVE_WEEKS})
    assert first_worsening(edss, relapses, plateau) == ("PIRA", 210)


def test_x25_relapses_recorded_too_late() -> None:
    visits = {"A": {"edss": "0:2.0 90:2.0 180:3.0 270:3.0"}}
    assert found(cohort_of(visits), definition(M23)) == [("edss", "worsening", "PIRA", 180, 270)]
    assert found(cohort_of(visits, recorded={"A": (150, None)}), definition(M23)) == [("edss", "worsening", "undetermined", 180, 270)]


# -- the pages ------------------------------------------------------------------------------

DOCS = Path(__file__).parents[1] / "docs" / "definitions"


@pytest.mark.parametrize("name", sorted(pages()))
def test_page_is_what_the_catalogue_makes(name: str) -> None:
    path = DOCS / name
    assert path.is_file(), "make it: python -m smoulder.rulebook.pages docs/definitions"
    assert path.read_text(encoding="utf-8") == pages()[name], "make it anew: python -m smoulder.rulebook.pages docs/definitions"


def test_no_page_is_left_over() -> None:
    assert {path.name for path in DOCS.glob("*.md")} == {*pages(), "writing-a-definition.md", "grids.md", "from-a-paper.md"}


def test_pages_are_written(tmp_path) -> None:
    write(tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == pages()


@pytest.mark.parametrize("key", KEYS)
def test_page_has_all_sections_in_order(key: str) -> None:
    text = pages()[f"{key}.md"]
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert headings == [
        "What counts",
        "Why it exists",
        "How papers differ",
        "A patient who has it, a patient who just misses it",
        "Parameters",
        "Known traps",
        "Methods paragraph",
        "Source",
    ]
    assert definition(key).prose() in text
    for sentence in traps(definition(key)):
        assert sentence in text
    for path in definition(key).settings():
        assert f"| `{path}` |" in text


@pytest.mark.parametrize("key", KEYS)
def test_page_begins_with_the_title(key: str) -> None:
    # Only a heading that stands first is the title of the page to mkdocs; otherwise the navigation shows the name of the file.
    assert pages()[f"{key}.md"].splitlines()[0] == f"# {definition(key).title}"
    assert pages()["index.md"].splitlines()[0] == "# The catalogue"


SAID_TWICE = {
    "is taken into the new reference": r"becomes the new reference|but the new reference|is the new reference and no event",
    "looks into the future": r"to the end|future|followed longer|followed for longer|longer follow-up|years later",
    "Every visit is compared with the one before it": r"good (day|visit)|the one before|by half a point at every",
    "Nothing has to be confirmed": r"no confirmation|not confirmed|bad day",
    "Confirmation has no upper bound": r"upper bound|visit years later",
    "counts all the same": r"last visit",
    "a second step between onset and that visit": r"second step|step between|before it is confirmed",
    "where the disability comes back to stay": r"comes? back|not sustained",
    "a slow worsening by such steps": r"small steps|slow(ly)?\b|below the threshold",
}
"""Words of a known trap that every definition of a kind has, and other words in which an entry would say the same again."""


@pytest.mark.parametrize("key", KEYS)
def test_no_trap_is_told_twice(key: str) -> None:
    page, found = entry(key).page.traps, traps(definition(key))
    told = [sentence for sentence in found for words, again in SAID_TWICE.items() if words in sentence and re.search(again, page)]
    assert told == [], page


def cells(key: str) -> tuple[str, str]:
    """Return what the list of the catalogue says of an entry: confirmed after, and reference moves after."""
    (row,) = [line for line in pages()["index.md"].splitlines() if line.startswith(f"| [`{key}`]")]
    _, _, _, _, confirmed, moves, _, _ = (cell.strip() for cell in row.split("|"))
    return confirmed, moves


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("cdw-12w", ("12 weeks", "nothing: fixed")),
        ("mueller-2025", ("12 months", "PIRA, improvement, relapse")),
        ("kappos-2020", ("12 weeks, 24 weeks", "worsening, relapse")),
        ("bsteh-2025", ("180 days", "carried from visit to visit: worsening; falls when confirmed; rises after relapses")),
        ("ingwersen-2023", ("12 weeks", "every visit is compared with the one before")),
        ("graf-2021-previous", ("12 weeks", "every visit is compared with the one before")),
        ("pirma-2021", ("not confirmed", "nothing: fixed")),
        ("ucsf-2019", ("at the visit nearest to day 3652", "nothing: fixed")),
        ("ascend-2018", ("24 weeks; must hold at the visit nearest to day 672 too", "nothing: fixed")),
    ],
)
def test_the_list_says_how_each_is_confirmed_and_what_moves_its_reference(key: str, expected: tuple[str, str]) -> None:
    assert cells(key) == expected


@pytest.mark.parametrize("key", KEYS)
def test_the_list_calls_fixed_only_what_never_moves(key: str) -> None:
    rules = definition(key)
    moves = bool(rules.baseline.moves_after) or rules.carried is not None or rules.baseline.start == "previous visit"
    assert (cells(key)[1] == "nothing: fixed") == (not moves)
    assert cells(key)[0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"carried": {"falls": "at once"}}, "carried from visit to visit: worsening; falls at once; rises after relapses"),
        (
            {"carried": {"falls": "no", "after_relapse": "stays", "second_reference": "no"}},
            "carried from visit to visit: worsening; never falls",
        ),
    ],
)
def test_what_moves_a_carried_reference(changes: dict[str, object], expected: str) -> None:
    assert moves_text(definition("bsteh-2025").changed({"carried": None}).changed(changes)) == expected


def test_where_a_window_and_a_set_time_both_confirm() -> None:
    rules = definition("ucsf-2019").changed({"confirmation.windows": [{"name": "6y", "from_day": 2191}]})
    assert confirmed_text(rules) == "at the visit nearest to day 3652, 6 years after onset"


@pytest.mark.parametrize("key", ["msclinical-default", "pirma-onset", "pirma-reference"])
def test_where_the_reference_goes_after_an_improvement_is_not_the_program_s(key: str) -> None:
    """The comparison replays 53 of 500 people as differing by that rule (docs/agreement.md), so it cannot have been taken from it."""
    assert {"baseline.moves_after", "baseline.moves_to", "baseline.sub_threshold"} <= set(definition(key).source.assumed)
    assert "All of it" not in entry(key).page.differs
    assert "how the reference moves, which is assumed" in entry(key).page.differs


def test_sections_of_a_definition_without_a_source() -> None:
    rules = definition("cdw-12w").changed(source={})
    text = "\n".join(sections(rules))
    assert "Of 30 settings, 0 were read in the source, 0 taken from a program, 0 assumed, 30 not marked." in text
    assert "## Source\n\nNone given." in text
