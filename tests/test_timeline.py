"""The patient's timeline: all that is known is on it, nothing overlaps or leaves the sheet, and the files are whole."""

from __future__ import annotations

import random
import re
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cohorts import cohort_of
from test_lively_twins import lively_cohort, lively_definition

from smoulder.engine.explain import explain
from smoulder.errors import UsageError
from smoulder.events import DURING, ExplainedEvent, ExplainedMeasure, ExplainedStep, Explanation
from smoulder.figures import Figure, plot_patient
from smoulder.figures.sentences import time_name, unconfirmed
from smoulder.figures.strips import as_many_as_fit, lanes
from smoulder.figures.style import LOOKS, shortened, text_width, wrapped
from smoulder.provenance import Provenance
from smoulder.rulebook.model import Definition, definition_from
from smoulder.terms import MEASURES, Measure

SVG = "{http://www.w3.org/2000/svg}"
RULES = """
title = "Roving baseline, PIRA and RAW"
key = "roving"
[[measures]]
measure = "edss"
worsening = { steps = [{ up_to = 0.0, change = 1.5 }, { up_to = 5.5, change = 1.0 }, { change = 0.5 }] }
[confirmation]
windows = [{ name = "12w", from_day = 84 }, { name = "24w", from_day = 168 }]
[relapses]
raw = { days_before_onset = 90 }
relapse_free = ["baseline .. confirmation+30"]
"""
MORE = """
[[measures]]
measure = "t25fw"
worsening = { percent = 20.0 }
[[measures]]
measure = "nhpt"
worsening = { percent = 20.0 }
[[measures]]
measure = "sdmt"
worsening = { points = 4.0 }
"""


def rules(**changes: Any) -> Definition:
    return definition_from(tomllib.loads(RULES) | changes, where="test")


def told(visits: str, attacks: tuple[int, ...] = (), /, scans: Any = None, **changes: Any) -> Explanation:
    """Explain one patient, "day:score day:score …", under the rules above with other settings."""
    patient = cohort_of({"A": {"edss": visits}}, {"A": attacks}, mri=None if scans is None else {"A": scans})
    return explain(patient, "A", rules(**changes))


def composite(**changes: Any) -> Definition:
    return definition_from(tomllib.loads(RULES + MORE) | changes, where="test")


def event(onset: int, *, label: str | None = "PIRA", kind: str = "worsening", **changes: Any) -> ExplainedEvent:
    given: dict[str, Any] = {
        "kind": kind,
        "label": label,
        "onset_day": onset,
        "onset": 300,
        "baseline_day": 16000,
        "reference": 200,
        "compared_with": "reference",
        "confirmation_day": onset + 90,
        "windows": (("12w", onset + 90), ("24w", onset + 180)),
        "pira_confirmation_day": onset + 90 if label == "PIRA" else None,
        "sustained_until_day": onset + 270,
        "forgiven_days": (),
        "raw_windows": ((onset - 90, onset),) if label else (),
        "relapse_free": ((16000, onset + 120),) if label else (),
        "mri": None,
        "mri_spans": (),
    }
    return ExplainedEvent(**given | changes)


def judged(
    days: tuple[int, ...], scores: tuple[int, ...], *events: ExplainedEvent, measure: Measure = MEASURES["edss"], steps: Any = ()
) -> ExplainedMeasure:
    references = ((days[0], scores[0]), *((e.confirmation_day or e.onset_day, e.onset) for e in events)) if days else ()
    return ExplainedMeasure(measure=measure, days=days, scores=scores, steps=tuple(steps), events=events, references=references, sought=())


def explanation(*measures: ExplainedMeasure, definition: Definition | None = None, **changes: Any) -> Explanation:
    definition = definition or rules()
    days = [day for measure in measures for day in measure.days]
    origin = Provenance(
        version="9.9.9",
        definitions=(definition,),
        input_sha256="abcdef0123456789",
        n_patients=1,
        n_visits=len(days),
        n_relapses=0,
        relapse_knowledge="recorded",
        set_aside=(),
    )
    given: dict[str, Any] = {
        "patient": "P017",
        "definition": definition,
        "calendar": "date",
        "measures": measures,
        "relapse_days": (),
        "relapse_knowledge": "recorded",
        "treatments": (),
        "scans": (),
        "follow_up": (min(days), max(days)) if days else None,
        "provenance": origin,
    }
    return Explanation(**given | changes)


QUARTERS = tuple(range(16000, 16000 + 12 * 90, 90))
PIRA = explanation(
    judged(QUARTERS, (200, 200, 200, 200, 300, 300, 300, 300, 300, 300, 300, 300), event(16360)),
    relapse_days=(16100, 16800),
    treatments=(("interferon beta-1a", 15000, 16200), ("natalizumab", 16230, None)),
)
"""Onset on 2014-10-17; relapses on 2014-01-30 and 2015-12-31."""


def refused(onset: int) -> tuple[ExplainedStep, ...]:
    nothing: dict[str, Any] = {"score": None, "reference_day": None, "reference": None, "change": None, "needed": None, "rule": ""}
    return (
        ExplainedStep(step="compare", visit_day=onset, verdict="worse", text="met", **nothing),
        ExplainedStep(step="confirm", visit_day=onset + 90, verdict="not confirmed", text="refused", **nothing),
    )


DRUGS = ("x", "natalizumab", "a treatment with a remarkably long name, given twice a year")


def several(seed: int) -> Explanation:
    """Return a made-up patient: up to 25 years, 15 relapses and 12 events on up to four measures."""
    luck = random.Random(seed)
    calendar = luck.choice(["date", "day"])
    start = 9000 if calendar == "date" else 0
    days = tuple(sorted({start + luck.randrange(0, luck.choice([200, 2000, 9100])) for _ in range(luck.choice([1, 2, 10, 60]))}))
    specs = [MEASURES[key] for key in ("edss", "t25fw", "nhpt", "sdmt")][: luck.choice([1, 4])]
    names = [*(name for name in LOOKS if name not in ("improvement", "worsening")), None]
    with_mri = {"mri": {"scans_in": ["baseline .. confirmation"]}} if luck.random() < 0.5 else {}
    measures = []
    for spec in specs:
        found = []
        for _ in range(luck.choice([0, 1, 12]) if len(days) > 2 else 0):
            onset = luck.randrange(days[0], days[-1])
            kind = luck.choice(["worsening", "worsening", "improvement"])
            late = luck.choice([100, 400])
            windows = luck.choice([(), (("12w", onset + 90),), (("12w", onset + 90), ("24w", onset + late))])
            first = min((day for _, day in windows), default=None)
            label = luck.choice(names) if kind == "worsening" else None
            pira = windows[-1][1] if windows and label == "PIRA" else None
            verdict = luck.choice(["no activity", "activity", "unknown"]) if with_mri and label == "PIRA" else None
            spans = ((onset - luck.randrange(1, 4000), onset + 90),) if verdict else ()
            own = luck.choice(["reference", "reference", "second reference"])
            more: dict[str, Any] = {"mri": verdict, "mri_spans": spans, "compared_with": own}
            more |= {"windows": windows, "confirmation_day": first, "pira_confirmation_day": pira}
            found.append(event(onset, label=label, kind=kind, **more))
        scores = tuple(luck.randrange(100, 900, 50) for _ in days)
        measures.append(judged(days, scores, *sorted(found, key=lambda e: e.onset_day), measure=spec))
    return explanation(
        *measures,
        definition=composite(**with_mri) if len(specs) > 1 else rules(**with_mri),
        calendar=calendar,
        scans=tuple(
            (day, luck.random() < 0.3, luck.random() < 0.7)
            for day in sorted({start + luck.randrange(-3000, 12000) for _ in range(luck.choice([0, 3, 80]))})
        )
        if with_mri
        else (),
        relapse_days=tuple(sorted(start + luck.randrange(-3000, 12000) for _ in range(luck.choice([0, 1, 15])))),
        treatments=tuple(
            (
                luck.choice(["x", "natalizumab", "a treatment with a remarkably long name, given twice a year"]),
                day,
                luck.choice([None, day + 900]),
            )
            for day in sorted(start + luck.randrange(-3000, 12000) for _ in range(luck.choice([0, 3, 9])))
        ),
    )


# -- reading a figure -----------------------------------------------------------------------

Rect = tuple[float, float, float, float]


def root(figure: Figure) -> ET.Element:
    return ET.fromstring(figure.svg)


def groups(figure: Figure, role: str) -> list[ET.Element]:
    return [group for group in root(figure).iter(f"{SVG}g") if group.get("class") == role]


def texts(figure: Figure) -> list[str]:
    return [element.text or "" for element in root(figure).iter(f"{SVG}text")]


def tips(figure: Figure, role: str) -> list[str]:
    return [group.findtext(f"{SVG}title") or "" for group in groups(figure, role)]


def text_box(element: ET.Element) -> Rect:
    x, y, size = (float(element.get(name, "0")) for name in ("x", "y", "font-size"))
    width = text_width(element.text or "", size, bold=element.get("font-weight") == "bold")
    left = {"start": x, "middle": x - width / 2, "end": x - width}[element.get("text-anchor", "start")]
    return left, y - 0.75 * size, left + width, y + 0.2 * size


def drawn_boxes(figure: Figure) -> Iterator[Rect]:
    tree = root(figure)
    for definitions in tree.findall(f"{SVG}defs"):
        tree.remove(definitions)
    for element in tree.iter():
        if element.tag == f"{SVG}text":
            yield text_box(element)
        elif element.tag == f"{SVG}rect":
            x, y, width, height = (float(element.get(name, "0")) for name in ("x", "y", "width", "height"))
            yield x, y, x + width, y + height
        elif element.tag == f"{SVG}circle":
            x, y, radius = (float(element.get(name, "0")) for name in ("cx", "cy", "r"))
            yield x - radius, y - radius, x + radius, y + radius
        elif element.tag == f"{SVG}path":
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", element.get("d", ""))]
            yield min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] - 0.1 and b[0] < a[2] - 0.1 and a[1] < b[3] - 0.1 and b[1] < a[3] - 0.1


def colliding_texts(figure: Figure) -> list[tuple[str, str]]:
    """Return pairs of texts that touch."""
    found = [(element.text or "", text_box(element)) for element in root(figure).iter(f"{SVG}text")]
    return [(a, b) for i, (a, box) in enumerate(found) for b, other in found[i + 1 :] if overlap(box, other)]


def outside_the_sheet(figure: Figure) -> list[Rect]:
    _, _, width, height = (float(number) for number in root(figure).get("viewBox", "").split())
    return [box for box in drawn_boxes(figure) if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height]


# -- what is on it --------------------------------------------------------------------------


def test_a_pira_shows_all_that_is_known() -> None:
    figure = plot_patient(PIRA)
    shown = texts(figure)
    assert {"Patient P017", "PIRA", "12w", "24w", "EDSS (points)", "interferon beta-1a", "natalizumab"} <= set(shown)
    assert "PIRA, onset 2014-10-17" in shown
    assert tips(figure, "event") == ["PIRA, 2.0 to 3.0, onset 2014-10-17; 12w 2015-01-15; 24w 2015-04-15"]
    assert tips(figure, "relapse") == ["relapse, 2014-01-30", "relapse, 2015-12-31"]
    assert tips(figure, "treatment") == ["interferon beta-1a (2011-01-26 to 2014-05-10)", "natalizumab (from 2014-06-09)"]
    assert tips(figure, "relapse-free") == ["2013-10-22 to 2015-02-14: has to be free of relapses for PIRA"]
    assert tips(figure, "raw-window") == ["2014-07-19 to 2014-10-17: a relapse here makes it RAW"]
    assert tips(figure, "reference") == ["reference in force: 2.0, 3.0"]
    assert len(groups(figure, "visit")) == len(QUARTERS)


def test_a_raw_leaves_out_the_intervals_that_had_no_say() -> None:
    raw = replace(PIRA, measures=(judged(QUARTERS, PIRA.measures[0].scores, event(16360, label="RAW")),), relapse_days=(16300,))
    assert groups(plot_patient(raw), "relapse-free") == []
    assert len(groups(plot_patient(raw), "raw-window")) == 1
    both = replace(
        raw, definition=rules(relapses={"raw": {"days_before_onset": 90}, "relapse_free": ["baseline .. onset"], "exclusive": False})
    )
    assert len(groups(plot_patient(both), "relapse-free")) == 1


@pytest.mark.parametrize("label", [*LOOKS])
def test_every_label_has_its_tag(label: str) -> None:
    kind = "improvement" if label == "improvement" else "worsening"
    shown = event(16360, label=None if label == kind else label, kind=kind)
    figure = plot_patient(explanation(judged(QUARTERS, (200,) * 12, shown)))
    assert [tag.findtext(f"{SVG}text") for tag in groups(figure, "tag")] == ["PIRA with relapse" if label == DURING else label]


def test_a_pira_that_was_confirmed_later_than_the_worsening_says_so() -> None:
    figure = plot_patient(explanation(judged(QUARTERS, (200,) * 12, event(16360, pira_confirmation_day=16540))))
    assert "24w as PIRA" in texts(figure)
    assert "as PIRA 2015-04-15" in figure.verdicts[0]


def test_a_worsening_counted_without_confirmation_says_so() -> None:
    counted = event(16990, confirmation_day=None, windows=(("12w", None),), pira_confirmation_day=None)
    figure = plot_patient(explanation(judged(QUARTERS, (200,) * 12, counted)))
    assert "not confirmed, counted" in texts(figure)
    assert "counted without a confirming visit" in figure.alt


def test_no_event_is_said_and_refused_changes_are_hollow() -> None:
    scores = (200, 300, 200, 200)
    figure = plot_patient(explanation(judged(QUARTERS[:4], scores, steps=refused(16090))))
    assert {"No event", "no event"} <= set(texts(figure))
    assert tips(figure, "unconfirmed") == ["2014-01-20: 3.0, not confirmed"]
    assert figure.verdicts == ("No event; 1 change past the threshold did not become one.",)


def test_a_change_found_again_as_an_event_is_not_hollow() -> None:
    assert unconfirmed(judged(QUARTERS, (200,) * 12, event(16090), steps=refused(16090))) == {}


def test_a_composite_names_its_first_event_and_its_directions() -> None:
    first, later = event(16360), event(16540, label="RAW")
    measures = (
        judged(QUARTERS, (200,) * 12, later),
        judged(QUARTERS, (600,) * 12, measure=MEASURES["t25fw"]),
        judged((), (), measure=MEASURES["nhpt"]),
        judged(QUARTERS, (5000,) * 12, first, measure=MEASURES["sdmt"]),
    )
    shown = texts(plot_patient(explanation(*measures, definition=composite())))
    assert "First worsening on any measure: PIRA on the SDMT, onset 2014-10-17; 2 events: 1 PIRA, 1 RAW" in shown
    assert {"lower is worse", "no event", "no visit with this measure", "24w · first on any measure"} <= set(shown)


@pytest.mark.parametrize(
    ("knowledge", "said"), [("recorded", "none recorded"), ("none", "none (stated"), ("unknown", "not known (there is no relapse table)")]
)
def test_what_is_known_of_relapses_is_said(knowledge: str, said: str) -> None:
    figure = plot_patient(explanation(judged(QUARTERS, (200,) * 12), relapse_knowledge=knowledge))
    assert any(text.startswith(said) for text in texts(figure))
    assert said in figure.alt


def test_nothing_known_at_all_is_a_figure_too() -> None:
    for empty in (explanation(judged((), ())), explanation(judged((), ()), relapse_days=(16000,))):
        figure = plot_patient(empty)
        assert outside_the_sheet(figure) == []
        assert figure.verdicts == ("No event: there is no visit to judge.",)


def test_day_numbers_stay_day_numbers() -> None:
    figure = plot_patient(explanation(judged((0, 84, 168, 336), (200, 300, 300, 300), event(84)), calendar="day"))
    assert {"day", "100", "200", "PIRA, onset day 84"} <= set(texts(figure))
    assert "onset day 84" in figure.alt


def test_relapses_and_treatments_far_away_are_listed_at_the_edge() -> None:
    figure = plot_patient(replace(PIRA, relapse_days=(12000, 12400, 16100, 19000), treatments=(("x", 11000, 11900), ("y", 20000, None))))
    shown = texts(figure)
    assert {"2 earlier: 2002-11-09, 2003-12-14", "1 later: 2022-01-08", "x, until 2002-08-01", "y, from 2024-10-04"} <= set(shown)
    assert len(groups(figure, "relapse")) == 4


# -- scans ----------------------------------------------------------------------------------

MRI = {"scans_in": ["baseline+60 .. confirmation"]}
SCANS = (
    {"day": 30, "new_t2": 3, "gd": 0},
    {"day": 60, "new_t2": 0, "gd": 0},
    {"day": 120, "new_t2": 0, "gd": None},
    {"day": 400, "new_t2": 1, "gd": None},
)
STEP = "0:2.0 90:3.0 180:3.0 300:3.0"


def test_scans_are_a_row_with_the_days_that_count() -> None:
    explained = told(STEP, scans=SCANS, mri=MRI)
    assert explained.scans == ((30, True, True), (60, False, True), (120, False, False), (400, True, False))
    assert [(event.mri, event.mri_spans) for event in explained.measures[0].events] == [("no activity", ((60, 180),))]
    figure = plot_patient(explained)
    assert tips(figure, "scan") == [
        "scan, day 30: activity",
        "scan, day 60: no activity",
        "scan, day 120: not fully read",
        "scan, day 400: activity",
    ]
    assert tips(figure, "mri-span") == ["day 60 to day 180: scans here count for the PIRA; no MRI activity (PIRMA)"]
    assert {"MRI", "PIRA", "PIRA, onset day 90, no MRI activity (PIRMA)", "scan with activity", "scan not fully read"} <= set(texts(figure))
    assert "4 scans: day 30 (activity), day 60 (no activity), day 120 (not fully read), day 400 (activity)." in figure.alt
    assert "It is PIRA: no relapse" in figure.verdicts[0]
    assert figure.verdicts[0].endswith(" No MRI activity (PIRMA), by 2 scans from day 60 to day 180.")


@pytest.mark.parametrize(
    ("scan", "words"),
    [
        ({"new_t2": 0, "gd": 0}, "no MRI activity (PIRMA)"),
        ({"new_t2": 0, "gd": 1}, "MRI activity"),
        ({"new_t2": 0, "gd": None}, "MRI unknown"),
    ],
)
def test_what_the_mri_says_stands_beside_the_event(scan: dict[str, Any], words: str) -> None:
    figure = plot_patient(told(STEP, scans=[{"day": 100} | scan], mri=MRI))
    assert any(text.endswith(f" · {words}") for text in texts(figure))
    assert tips(figure, "event")[0].endswith(f"; {words}")


def test_the_three_kinds_of_scan_differ_without_colour() -> None:
    row = groups(plot_patient(told(STEP, scans=SCANS, mri=MRI)), "scan")
    active, free, unread = ([*mark.iter(f"{SVG}path")] for mark in row[:3])
    assert len(active) == len(free) == 1
    assert active[0].get("fill") != free[0].get("fill")
    assert len(unread) == 2
    assert unread[0].get("stroke-dasharray")


def test_no_scan_and_a_table_without_the_counts_are_said() -> None:
    without = plot_patient(told(STEP, mri=MRI))
    assert "no scan" in texts(without)
    assert "MRI: no scan. " in without.alt
    assert any("MRI unknown" in text for text in texts(without))
    other = told(STEP, scans=[{"day": 100, "gd": 0}], mri=MRI | {"lesions": ["new_t2"]})
    assert other.scans == ((100, False, False),)
    assert other.measures[0].events[0].mri == "unknown"


def test_a_definition_that_does_not_look_at_mri_shows_none() -> None:
    explained = told(STEP, scans=SCANS)
    assert explained.scans == ()
    assert "MRI" not in texts(plot_patient(explained))


def test_scans_far_away_are_listed_at_the_edge() -> None:
    figure = plot_patient(told(STEP, scans=[{"day": day, "new_t2": 0, "gd": 0} for day in (-900, 100, 2000)], mri=MRI))
    assert {"1 earlier: day -900", "1 later: day 2000"} <= set(texts(figure))
    assert len(groups(figure, "scan")) == 3


# -- the reference that an event was compared with ----------------------------------------------

OWN_CLASS = {
    "raw": {"days_before_onset": 90, "days_after_onset": 30},
    "relapse_free": ["onset .. confirmation+30"],
    "during_confirmation": "own class",
}


def carried(visits: str, attacks: tuple[int, ...] = (), onset: dict[str, Any] | None = None, **settings: Any) -> ExplainedMeasure:
    return told(visits, attacks, carried=settings, relapses=OWN_CLASS, onset=onset or {}).measures[0]


def own(measure: ExplainedMeasure) -> list[tuple[str, int, int, int]]:
    return [(event.compared_with, event.baseline_day, event.reference, event.onset_day) for event in measure.events]


def test_a_carried_reference_falls_rises_and_follows_events() -> None:
    """3.0 falls to 2.0 on day 90; 3.0 on day 240 is PIRA; the relapse of day 560 leaves 3.5 on day 660, the first visit past day 650."""
    judged = carried("0:3.0 90:2.0 150:2.0 240:3.0 330:3.0 420:3.0 660:3.5 750:3.5", (560,))
    assert judged.references == ((0, 300), (90, 200), (240, 300), (660, 350))
    assert own(judged) == [("reference", 90, 200, 240)]


def test_an_undefined_worsening_shows_the_second_reference() -> None:
    """The relapse leaves 4.0, which is the reference from then on; from the second one, 3.0, it is an undefined worsening."""
    explained = told("0:3.0 90:3.0 180:4.0 270:4.0 360:4.0", (80,), carried={}, relapses=OWN_CLASS)
    judged = explained.measures[0]
    assert own(judged) == [("second reference", 0, 300, 180)]
    assert judged.references == ((0, 300), (180, 400))
    assert (judged.events[0].raw_windows, judged.events[0].relapse_free) == ((), ())
    figure = plot_patient(explained)
    assert tips(figure, "own-reference") == ["second reference of day 0: 3.0"]
    assert tips(figure, "raw-window") == []
    assert any(text.endswith("from the second reference") for text in texts(figure))
    assert "second reference, of an undefined worsening" in texts(figure)
    assert "It was compared with the second reference, 3.0. It is undefined: " in figure.verdicts[0]


def test_an_earlier_reference_is_shown_where_it_stood_in() -> None:
    judged = carried("0:2.5 90:2.5 180:2.0 240:2.0 300:4.0 400:4.0", onset={"min_days": 200}, earlier_reference=True, second_reference="no")
    assert own(judged) == [("earlier reference", 0, 250, 300)]
    assert judged.references == ((0, 250), (180, 200), (300, 400))
    figure = plot_patient(explanation(judged, calendar="day"))
    assert tips(figure, "own-reference") == ["earlier reference of day 0: 2.5"]


def test_steps_that_are_one_event_leave_the_reference_until_the_last_one() -> None:
    judged = carried("0:2.0 90:3.0 180:4.0 270:5.0 360:5.0 450:5.0", merging={"stable_days": 30})
    assert [event.onset_day for event in judged.events] == [90]
    assert judged.references == ((0, 200), (270, 500))


def test_a_second_walk_puts_no_reference_in_force() -> None:
    judged = carried("0:2.0 90:3.0 180:3.0 270:3.0 500:4.0 600:4.0 800:3.5 850:3.5", (350,), second_reference="after the last event")
    assert [kind for kind, *_ in own(judged)] == ["reference", "second reference"]
    assert judged.references == ((0, 200), (90, 300), (500, 400), (800, 350))


def lively(seed: int) -> list[Explanation]:
    chance = random.Random(seed)
    definition, cohort = lively_definition(chance), lively_cohort(chance, 4)
    return [explain(cohort, patient, definition) for patient in cohort.patients]


@pytest.mark.parametrize("seed", range(0, 2000, 20))
def test_events_start_from_the_reference_in_force_unless_it_is_said(seed: int) -> None:
    for judged in (measure for explained in lively(seed) for measure in explained.measures):
        days = [day for day, _ in judged.references]
        assert days == sorted(set(days))
        for found in judged.events:
            before = [reference for reference in judged.references if reference[0] < found.onset_day]
            assert found.compared_with != "reference" or before[-1] == (found.baseline_day, found.reference)


# -- labels, visits and confirmations of their own ------------------------------------------------


def test_a_long_label_is_short_on_its_tag_and_whole_in_the_key() -> None:
    figure = plot_patient(told(STEP, (200,), relapses=OWN_CLASS))
    assert [tag.findtext(f"{SVG}text") for tag in groups(figure, "tag")] == ["PIRA with relapse"]
    assert DURING in texts(figure)
    assert tips(figure, "event")[0].startswith(f"{DURING}, 2.0 to 3.0, onset day 90; ")
    assert f"Worsening ({DURING}) on the EDSS" in figure.alt


def test_every_raw_interval_is_a_window() -> None:
    rule = {"raw": {"days_before_onset": 30}, "raw_in": ["previous visit .. onset-60"], "relapse_free": ["baseline .. onset"]}
    explained = told("0:2.0 90:2.0 180:3.0 270:3.0 360:3.0", (100,), relapses=rule)
    found = explained.measures[0].events[0]
    assert (found.label, found.raw_windows) == ("RAW", ((150, 180), (90, 120)))
    figure = plot_patient(explained)
    assert [tip.partition(":")[0] for tip in tips(figure, "raw-window")] == ["day 90 to day 120", "day 150 to day 180"]
    assert groups(figure, "relapse-free") == []


SOUGHT: dict[str, Any] = {"onset": {"at": {"day": 365, "from_day": 300, "to_day": 420}}}
WEEK_96 = {"windows": [{"name": "12w", "from_day": 84}], "as_well": {"day": 672, "from_day": 644, "to_day": 700}}


def test_a_visit_at_a_set_time_is_named_where_it_is_sought() -> None:
    explained = told("0:2.0 350:3.0 450:3.0 660:3.0", confirmation=WEEK_96, **SOUGHT)
    assert [(found.use, found.first_day, found.last_day, found.visit_day) for found in explained.measures[0].sought] == [
        ("onset", 300, 420, 350),
        ("as well", 644, 700, 660),
    ]
    figure = plot_patient(explained)
    assert {"year 1: onset", "week 96: must hold as well"} <= set(texts(figure))
    assert tips(figure, "sought") == [
        "Onset is sought at year 1, from day 300 to day 420: it is that of day 350.",
        "A visit where it must hold as well is sought at week 96, from day 644 to day 700: it is that of day 660.",
    ]
    assert all(tip in figure.alt for tip in tips(figure, "sought"))


def test_a_visit_that_is_not_there_is_said_also_beyond_the_figure() -> None:
    figure = plot_patient(told("0:2.0 90:3.0 200:3.0", confirmation=WEEK_96, **SOUGHT))
    assert {"year 1: onset (no visit)", "week 96: must hold as well (no visit)"} <= set(texts(figure))
    assert outside_the_sheet(figure) == []
    assert "300" not in texts(figure)  # a span that lies wholly beyond does not widen the figure


def test_a_visit_that_confirms_at_a_set_time_is_named() -> None:
    at = {"windows": [{"name": "10y", "from_day": 1}], "at": {"day": 3652, "from_day": 3288, "to_day": 4017}}
    figure = plot_patient(told("0:2.0 1800:3.0 3700:3.0", confirmation=at))
    assert "year 10: confirmation" in texts(figure)


def test_measures_that_were_started_apart_have_their_own_spans() -> None:
    patient = cohort_of({"A": {"edss": "0:2.0 365:3.0", "t25fw": "30:5.0 400:5.0"}})
    two = rules(measures=[*rules().as_dict()["measures"], {"measure": "t25fw", "worsening": {"percent": 20.0}}], **SOUGHT)
    figure = plot_patient(explain(patient, "A", two))
    assert "On the EDSS: onset is sought at year 1, from day 300 to day 420" in figure.alt
    assert "On the T25FW: onset is sought at year 1, from day 330 to day 450" in figure.alt
    assert len(groups(figure, "sought")) == 2


@pytest.mark.parametrize(
    ("days", "name"),
    [(365, "year 1"), (1826, "year 5"), (3652, "year 10"), (672, "week 96"), (84, "week 12"), (100, "day 100"), (0, "day 0")],
)
def test_a_set_time_is_called_a_year_or_a_week_where_it_is_one(days: int, name: str) -> None:
    assert time_name(days) == name


def test_a_single_visit_that_was_forgiven_is_marked_and_said() -> None:
    forgiving = {"windows": [{"name": "24w", "from_day": 168}], "forgives": "single visits"}
    explained = told("0:2.0 90:3.0 180:2.5 270:3.0 360:3.0", confirmation=forgiving)
    assert explained.measures[0].events[0].forgiven_days == (180,)
    figure = plot_patient(explained)
    assert tips(figure, "forgiven") == ["day 180: 2.5, forgiven: it holds again at the next visit"]
    assert "held until day 360, but for day 180 (2.5), which was forgiven." in figure.verdicts[0]
    assert "single visit that was forgiven" in texts(figure)
    strict = told("0:2.0 90:3.0 180:3.0 270:3.0 360:3.0", confirmation=forgiving)
    assert groups(plot_patient(strict), "forgiven") == []


def test_where_no_confirmation_is_asked_for_none_is_shown() -> None:
    figure = plot_patient(told("0:2.0 90:3.0 180:3.0", confirmation={"windows": []}))
    assert "not confirmed (none asked for)" in texts(figure)
    assert "confirming visit, with its windows" not in texts(figure)
    assert any(text.startswith("A change needed no confirmation.") for text in texts(figure))
    assert "; no confirmation was asked for; held until day 180." in figure.alt


# -- how it is laid out ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_nothing_overlaps_or_leaves_the_sheet(seed: int) -> None:
    told = several(seed)
    figure = plot_patient(told)
    assert outside_the_sheet(figure) == []
    assert colliding_texts(figure) == []
    assert len(groups(figure, "relapse")) == len(told.relapse_days)
    assert len(groups(figure, "treatment")) == len(told.treatments)
    assert len(groups(figure, "scan")) == len(told.scans)
    assert len(groups(figure, "event")) == sum(len(measure.events) for measure in told.measures)
    tags = [text_box(tag.findall(f"{SVG}text")[0]) for tag in groups(figure, "tag")]
    assert not any(overlap(a, b) for i, a in enumerate(tags) for b in tags[i + 1 :])


@pytest.mark.parametrize("seed", range(0, 400, 10))
def test_nothing_overlaps_under_the_rare_rules(seed: int) -> None:
    for figure in map(plot_patient, lively(seed)):
        assert outside_the_sheet(figure) == []
        assert colliding_texts(figure) == []


def test_lanes_are_shared_until_two_would_touch() -> None:
    assert lanes([(0, 10), (5, 20), (30, 40), (19, 29)], gap=8) == [0, 1, 0, 2]


def test_a_date_is_listed_whole_or_not_at_all() -> None:
    assert as_many_as_fit("2 earlier: ", ["2001-01-01", "2002-02-02"], 500) == "2 earlier: 2001-01-01, 2002-02-02"
    assert as_many_as_fit("2 earlier: ", ["2001-01-01", "2002-02-02"], 150) == "2 earlier: 2001-01-01, …"


def test_text_is_shortened_and_wrapped_to_a_width() -> None:
    assert shortened("natalizumab", 500, 10) == "natalizumab"
    assert shortened("natalizumab", 40, 10).endswith("…")
    assert all(text_width(part, 10) <= 100 for part in wrapped("a few words that do not fit, andonethatislongerthantheline", 100, 10))


# -- what it is written in ------------------------------------------------------------------


def test_names_are_escaped_and_control_characters_replaced() -> None:
    name = "<script>&\"'\x00\x1b]]>"
    figure = plot_patient(replace(PIRA, patient=name, treatments=(('<b>"&', 16000, None),)))
    assert "Patient <script>&\"'\ufffd\ufffd]]>" in texts(figure)
    assert '<b>"&' in texts(figure)
    assert "<script" not in figure.svg + figure.html
    assert "\x00" not in figure.svg + figure.html + figure.alt


def test_a_name_that_is_too_long_is_shortened_but_kept_in_the_words() -> None:
    figure = plot_patient(replace(PIRA, patient="P" * 400))
    assert outside_the_sheet(figure) == []
    assert "P" * 400 in figure.alt


def test_the_same_patient_gives_the_same_bytes() -> None:
    assert plot_patient(PIRA) == plot_patient(replace(PIRA))
    assert plot_patient(PIRA).png() == plot_patient(replace(PIRA)).png()


def test_two_figures_in_a_page_share_no_id() -> None:
    ids = [set(re.findall(r'id="([^"]+)"', plot_patient(told).svg)) for told in (PIRA, replace(PIRA, patient="other"))]
    assert ids[0] and ids[0].isdisjoint(ids[1])


def test_it_can_be_read_aloud() -> None:
    figure = plot_patient(PIRA)
    tree = root(figure)
    by_id = {element.get("id"): element.text for element in tree if element.get("id")}
    title, description = (by_id[name] for name in (tree.get("aria-labelledby") or "").split())
    assert tree.get("role") == "img"
    assert title == "Patient P017: PIRA, onset 2014-10-17"
    assert description == figure.alt
    assert figure.alt == (
        "Timeline of patient P017 under Roving baseline, PIRA and RAW [roving]. Visits from 2013-10-22 to 2016-07-08. "
        "EDSS: 12 visits, 2.0 at the first, 3.0 at the last, 2.0 to 3.0. 2 relapses: 2014-01-30, 2015-12-31. "
        "Treatments: interferon beta-1a (2011-01-26 to 2014-05-10), natalizumab (from 2014-06-09). "
        "Worsening (PIRA) on the EDSS, onset 2014-10-17, from 2.0 to 3.0; confirmed 2015-01-15 (12w) and 2015-04-15 (24w); "
        "held until 2015-07-14."
    )


def test_nothing_is_fetched() -> None:
    figure = plot_patient(PIRA)
    assert re.findall(r"https?://[^\s\"']*", figure.svg) == ["http://www.w3.org/2000/svg"]
    assert re.findall(r"https?://[^\s\"']*", figure.html) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|link|img|iframe)|@import|\bon\w+=", figure.html)


def test_tags_can_be_read() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for look in LOOKS.values():
        bright, dark = sorted((light(look.fill), light(look.text)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, look


# -- files ----------------------------------------------------------------------------------


def test_a_figure_is_saved_by_the_end_of_the_name(tmp_path: Path) -> None:
    figure = plot_patient(PIRA)
    for name in ("a.svg", "a.png", "a.pdf", "a.HTML"):
        figure.save(tmp_path / name)
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == figure.svg
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    page = (tmp_path / "a.HTML").read_text(encoding="utf-8")
    assert figure.svg in page
    assert all(sentence in page for sentence in figure.verdicts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.HTML", "a.pdf", "a.png", "a.svg"]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^A figure is written as \.svg, \.png, \.pdf or \.html; got 'a\.bmp'\.$"):
        plot_patient(PIRA).save(tmp_path / "a.bmp")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.svg").write_text("before", encoding="utf-8")

    def full(self: Path, content: bytes) -> int:
        self.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left on device"):
        plot_patient(PIRA).save(tmp_path / "a.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == "before"


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        plot_patient(PIRA).save(tmp_path / "no" / "a.svg")
