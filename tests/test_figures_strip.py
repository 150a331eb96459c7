"""The cohort strip: every score, relapse, event and end where it happened, in the colour and shape of the key."""

from __future__ import annotations

import random
import re
import time
import xml.etree.ElementTree as ET

import polars as pl
import pytest
from cohorts import cohort_of
from test_figures_chart import AWKWARD, SVG, contrast, groups, lightness, require_sound, root, texts, words

from smoulder import detect
from smoulder.errors import UsageError
from smoulder.figures import Chart, plot_cohort
from smoulder.figures.ramp import Ramp
from smoulder.figures.signs import END_SIGNS, SHAPES
from smoulder.figures.style import LOOKS, RELAPSE_COLOUR
from smoulder.tables import Cohort

WORSE = {"edss": "0:2.0 100:2.0 200:3.0 300:3.0 400:3.0"}
BY_RELAPSE = {"edss": "0:2.0 100:2.0 200:3.0 300:3.0 400:3.0 500:3.0"}
COHORT = cohort_of({"A": WORSE, "B": BY_RELAPSE, "C": {"edss": "0:1.0 150:1.5"}}, {"B": [190], "C": [20, 140]})
EVENTS = detect(COHORT, "mueller-2023")
# The sheet writes two decimals.
NEAR = 0.02


def people(*rows: tuple[str, int, int, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["patient", "zero_day", "end_day", "end_reason"], orient="row")


def boxes(group: ET.Element) -> list[tuple[float, float, str]]:
    """Return left and right of each box of a row, and its colour."""
    found = []
    for box in group.iter(f"{SVG}rect"):
        x, width = float(box.get("x", "0")), float(box.get("width", "0"))
        found.append((x, x + width, box.get("fill") or ""))
    return found


def rows_of(chart: Chart) -> dict[str, ET.Element]:
    return {group.findtext(f"{SVG}title") or "": group for group in groups(chart, "person")}


def place_of(chart: Chart, day: float) -> float:
    """Return where a day lies, from the labels of the axis; all figures here have an axis in months or years."""
    title = next(text for text in texts(chart) if " since " in text)
    a_unit = {"Days": 1.0, "Months": 365.25 / 12, "Years": 365.25}[title.split()[0]]
    bottom = next(float(text.get("y", "0")) for text in root(chart).iter(f"{SVG}text") if text.text == title) - 17
    ticks = [text for text in root(chart).iter(f"{SVG}text") if abs(float(text.get("y", "0")) - bottom) < 0.5]
    (first, left), (last, right) = ((int(tick.text or ""), float(tick.get("x", "0"))) for tick in (ticks[0], ticks[-1]))
    return left + (day / a_unit - first) / (last - first) * (right - left)


# -- scores ---------------------------------------------------------------------------------


def test_each_score_holds_until_the_next_visit_in_its_colour() -> None:
    chart = plot_cohort(COHORT, EVENTS)
    require_sound(chart)
    ramp = Ramp(0, 10)
    expected = {
        "A": [(0, 200, 2.0), (200, 400, 3.0)],
        "B": [(0, 200, 2.0), (200, 500, 3.0)],
        "C": [(0, 150, 1.0)],
    }
    for patient, spans in expected.items():
        found = boxes(rows_of(chart)[patient])
        for (start, end, score), (left, right, colour) in zip(spans, found, strict=False):
            assert (left, right) == pytest.approx((place_of(chart, start), place_of(chart, end)), abs=NEAR)
            assert colour == ramp.colour(score)
    # The last visit with a new score is a mark of its own, as short as can be seen.
    assert boxes(rows_of(chart)["C"])[1][2] == ramp.colour(1.5)


def test_where_no_score_is_known_the_line_is_dotted_and_nothing_else() -> None:
    chart = plot_cohort(cohort_of({"A": {"edss": "100:2.0 200:2.0"}}), None, people=people(("A", 0, 400, "last visit")))
    (left, right, _) = boxes(rows_of(chart)["A"])[0]
    assert (left, right) == pytest.approx((place_of(chart, 100), place_of(chart, 200)), abs=NEAR)
    dotted = next(path for path in rows_of(chart)["A"].iter(f"{SVG}path") if path.get("stroke-dasharray"))
    start, end = (float(x) for x in re.findall(r"[ML](-?[\d.]+) ", dotted.get("d", "")))
    assert (start, end) == pytest.approx((place_of(chart, 0), place_of(chart, 400)), abs=NEAR)


def test_days_count_from_time_zero() -> None:
    chart = plot_cohort(COHORT, EVENTS, people=people(("A", 100, 400, "last visit")))
    assert list(rows_of(chart)) == ["A"]
    found = boxes(rows_of(chart)["A"])
    assert found[0][:2] == pytest.approx((place_of(chart, 0), place_of(chart, 100)), abs=NEAR)
    later = plot_cohort(COHORT, EVENTS, people=people(("B", 100, 500, "last visit")))
    strokes = [(left + right) / 2 for group in groups(later, "relapses") for left, right, fill in boxes(group) if fill == RELAPSE_COLOUR]
    assert strokes == pytest.approx([place_of(later, 90)], abs=NEAR)
    assert [x for _, x in event_places(later)] == pytest.approx([place_of(later, 100)], abs=NEAR)


@pytest.mark.parametrize(("measure", "low", "high"), [("edss", 1.0, 8.0), ("t25fw", 5.0, 20.0), ("sdmt", 20.0, 60.0)])
def test_darker_is_worse_on_every_measure(measure: str, low: float, high: float) -> None:
    cohort = cohort_of({"A": {measure: f"0:{low} 200:{low}"}, "B": {measure: f"0:{high} 200:{high}"}})
    chart = plot_cohort(cohort, None, measure=measure)
    colours = {patient: lightness(boxes(row)[0][2]) for patient, row in rows_of(chart).items()}
    dark, pale = ("A", "B") if measure == "sdmt" else ("B", "A")
    assert colours[dark] < colours[pale] - 10
    key = " ".join(words(groups(chart, "scale")[0]))
    assert ("≥" in key and "≤" in key) == (measure != "edss")


# -- signs ----------------------------------------------------------------------------------


def test_relapses_stand_on_their_days() -> None:
    chart = plot_cohort(COHORT, EVENTS)
    strokes = sorted(
        (left + right) / 2 for group in groups(chart, "relapses") for left, right, fill in boxes(group) if fill == RELAPSE_COLOUR
    )
    assert strokes == pytest.approx(sorted(place_of(chart, day) for day in (190, 20, 140)), abs=NEAR)


def event_places(chart: Chart) -> list[tuple[str, float]]:
    """Return label and place of every event: the colours say which label."""
    colours = {LOOKS[label].colour: label for label in SHAPES}
    found = []
    for group in groups(chart, "signs"):
        for shape in group:
            if shape.tag == f"{SVG}path" and shape.get("fill") in colours:
                xs = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", shape.get("d", ""))]
                found.append((colours[shape.get("fill") or ""], (min(xs) + max(xs)) / 2))
    return sorted(found)


def test_events_stand_on_their_onsets_in_the_colour_of_their_label() -> None:
    chart = plot_cohort(COHORT, EVENTS)
    expected = [(row["label"], place_of(chart, row["onset_day"])) for row in EVENTS.table.iter_rows(named=True)]
    assert len(expected) == 2 and {label for label, _ in expected} == {"PIRA", "RAW"}
    assert [label for label, _ in event_places(chart)] == sorted(label for label, _ in expected)
    assert [x for _, x in event_places(chart)] == pytest.approx([x for _, x in sorted(expected)], abs=NEAR)


def test_what_lies_outside_the_observation_is_not_shown() -> None:
    chart = plot_cohort(COHORT, EVENTS, people=people(("A", 0, 150, "last visit"), ("B", 250, 500, "last visit")))
    assert event_places(chart) == []
    assert groups(chart, "relapses") == []
    assert "No events" in chart.alt


def test_each_end_has_its_sign_and_its_words() -> None:
    reasons = [*END_SIGNS, "lost to <follow-up>"]
    days = [400 - n for n in range(len(reasons))]
    cohort = cohort_of({f"P{n}": WORSE for n in range(len(reasons))})
    frame = people(*((f"P{n}", 0, day, reason) for n, (day, reason) in enumerate(zip(days, reasons, strict=True))))
    chart = plot_cohort(cohort, None, people=frame)
    require_sound(chart)
    tips = [end.findtext(f"{SVG}title", "") for end in groups(chart, "end")]
    # Once beside a line and once in the key.
    assert sorted(tips) == sorted(2 * [*END_SIGNS, "other"])
    assert set(reasons) <= {key.findtext(f"{SVG}title") for key in groups(chart, "key")}
    assert all(f"{reason} 1" in chart.alt for reason in reasons)


def test_the_shapes_of_events_differ_and_show_on_every_score() -> None:
    assert len({shape(0, 0, 5, "#000000") for shape in SHAPES.values()}) == len(SHAPES)
    # A white edge is at least as far from a dark row as ink is from a pale one.
    for score in range(11):
        ground = Ramp(0, 10).colour(score)
        for label in SHAPES:
            assert max(contrast(LOOKS[label].colour, ground), contrast("#ffffff", ground)) >= 1.9


def test_signs_can_be_seen_in_a_cohort_of_hundreds() -> None:
    cohort = cohort_of({f"P{n:03d}": WORSE for n in range(300)}, {"P000": [50]})
    chart = plot_cohort(cohort, detect(cohort, "mueller-2023"))
    sizes = []
    for group in groups(chart, "signs"):
        for shape in group:
            if shape.get("fill") == LOOKS["PIRA"].colour:
                xs = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", shape.get("d", ""))]
                sizes.append(max(xs) - min(xs))
    # 6 of 760 are 1.5 mm of 190 mm.
    assert len(sizes) == 300 and min(sizes) >= 6
    (relapses,) = groups(chart, "relapses")
    assert max(float(box.get("height", "0")) for box in relapses.iter(f"{SVG}rect")) >= 6
    _, _, width, height = (float(part) for part in root(chart).get("viewBox", "").split())
    # It fits a page of A4 beside margins of 10 mm: 277 mm high where it is 190 mm wide.
    assert height / width <= 277 / 190


# -- who is drawn ---------------------------------------------------------------------------


def many(n: int) -> Cohort:
    chance = random.Random(7)
    visits, relapses = {}, {}
    for k in range(n):
        days = range(0, 365 * chance.randint(1, 10), 180)
        visits[f"P{k:05d}"] = {"edss": " ".join(f"{day}:{chance.randint(0, 14) / 2}" for day in days)}
        relapses[f"P{k:05d}"] = [chance.randint(0, 300)] if chance.random() < 0.5 else []
    return cohort_of(visits, relapses)


def test_the_longest_observed_stand_at_the_top() -> None:
    assert list(rows_of(plot_cohort(COHORT, EVENTS))) == ["B", "A", "C"]


def test_the_earliest_event_stands_at_the_top() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 300:3.0 400:3.0 500:3.0"}, "B": WORSE, "C": {"edss": "0:2.0 900:2.0"}})
    assert list(rows_of(plot_cohort(cohort, detect(cohort, "mueller-2023"), order="first event"))) == ["B", "A", "C"]


def test_of_many_people_an_even_sample_is_drawn_and_said() -> None:
    cohort = many(1000)
    chart = plot_cohort(cohort, None, most=100)
    require_sound(chart)
    drawn, ranked = list(rows_of(chart)), list(rows_of(plot_cohort(cohort, None, most=1000)))
    assert drawn == [ranked[10 * n + 5] for n in range(100)]
    assert "Of 1,000 people 100 are drawn, evenly spaced by rank." in chart.caption
    assert chart.subtitle == "EDSS of 1,000 people, 100 of them drawn"
    assert "Of those drawn: " in chart.alt
    assert plot_cohort(cohort, None, most=100) == chart
    assert "are drawn" not in plot_cohort(cohort, None, most=1000).caption


def test_five_thousand_people_are_quick_and_small() -> None:
    cohort = many(5000)
    events = detect(cohort, "mueller-2023")
    begin = time.perf_counter()
    chart = plot_cohort(cohort, events)
    # It takes 0.2 seconds; a machine under load may take long.
    assert time.perf_counter() - begin < 5
    assert len(rows_of(chart)) == 300
    assert len(chart.svg) < 1_000_000


def test_ids_stand_beside_few_people_with_both_their_ends() -> None:
    long = [f"a very long name of a study and a site {AWKWARD} {n:03d}" for n in range(40)]
    chart = plot_cohort(cohort_of(dict.fromkeys(long, WORSE)), None)
    require_sound(chart)
    shown = [words(row)[0] for row in rows_of(chart).values()]
    assert len(set(shown)) == 40 and all("…" in name for name in shown)
    assert [words(row) for row in rows_of(plot_cohort(many(41), None)).values()] == [[]] * 41


def test_without_ids_nobody_can_be_found_in_the_drawing() -> None:
    cohort = cohort_of({f"Person{n}": WORSE for n in range(3)}, {"Person0": [190]})
    events = detect(cohort, "mueller-2023")
    chart = plot_cohort(cohort, events, ids=False)
    require_sound(chart)
    assert "Person" not in chart.svg + chart.html + chart.alt
    assert "Person0" in plot_cohort(cohort, events).svg


def test_one_person_and_nobody() -> None:
    one = plot_cohort(cohort_of({"A": {"edss": "0:2.0"}}), None)
    require_sound(one)
    assert one.subtitle == "EDSS of 1 person" and "At" not in one.caption
    nobody = plot_cohort(COHORT, EVENTS, people=people(("A", 0, 150, "last visit")).clear())
    require_sound(nobody)
    assert "There is nobody to show." in texts(nobody)


def test_people_without_time_are_counted_not_drawn() -> None:
    chart = plot_cohort(COHORT, EVENTS, people=people(("A", 100, 90, "last visit"), ("B", 0, 500, "last visit")))
    assert list(rows_of(chart)) == ["B"]
    assert "1 person without time after time zero not shown." in chart.caption


@pytest.mark.parametrize("days", [30, 14610])
def test_a_month_and_forty_years(days: int) -> None:
    step = max(days // 6, 1)
    chart = plot_cohort(cohort_of({"A": {"edss": " ".join(f"{day}:3.0" for day in range(0, days + 1, step))}}), None)
    require_sound(chart)
    assert boxes(rows_of(chart)["A"])[0][1] == pytest.approx(place_of(chart, days // step * step), abs=0.1)


def test_what_is_asked_for_must_exist() -> None:
    with pytest.raises(UsageError, match="There is no order 'age'"):
        plot_cohort(COHORT, EVENTS, order="age")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError, match="At least one person must be drawn"):
        plot_cohort(COHORT, EVENTS, most=0)
    with pytest.raises(UsageError, match="no measure 'sdmt'"):
        plot_cohort(COHORT, EVENTS, measure="sdmt")
    with pytest.raises(UsageError, match="say which to mark"):
        plot_cohort(COHORT, detect(COHORT, ["mueller-2023", "cdw-12w"]))
    with pytest.raises(UsageError, match="no column 'end_day'"):
        plot_cohort(COHORT, EVENTS, people=people(("A", 0, 1, "x")).drop("end_day"))


# -- words ----------------------------------------------------------------------------------


def test_the_words_tell_the_numbers() -> None:
    chart = plot_cohort(COHORT, EVENTS, since="the first visit")
    assert chart.alt == (
        "The cohort: one line a person, EDSS of 3 people. Observed for 4.9 months to 16.4 months, median 13.1 months. EDSS from 1 to 3. "
        "3 relapses. Events: PIRA 1, RAW 1. Ends: last visit 3. One line a person; the longest observed at the top. "
        "The EDSS is held until the next visit; dotted: no score is known. Events are those of the definition mueller-2023."
    )
    assert "Months since the first visit" in texts(chart)
    assert {"relapse", "PIRA", "RAW", "last visit"} == {key.findtext(f"{SVG}title") for key in groups(chart, "key")}
