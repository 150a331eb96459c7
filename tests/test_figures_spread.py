"""Scores over time: medians and quartiles that numpy finds from the visits, at the end of their bins, with the people they are of."""

from __future__ import annotations

import math
import random
import re
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from cohorts import cohort_of
from test_figures_chart import (
    AWKWARD,
    LONG,
    SVG,
    Point,
    axis_labels,
    corners,
    groups,
    paths,
    places,
    plot_width,
    plots,
    require_sound,
    texts,
    words,
)

from smoulder.errors import UsageError
from smoulder.figures import Chart, plot_spread
from smoulder.figures.labels import MARKERS
from smoulder.figures.spread import HEIGHT, SIDE_STEP, side_step
from smoulder.tables import Cohort

# Vega writes points with all digits and paths with three decimals; times are given to it with six.
NEAR = 0.02
YEAR = 365.25


def scores_of(n: int, years: float = 4, step_days: int = 90, measure: str = "edss", seed: int = 5) -> dict[str, list[tuple[int, float]]]:
    chance = random.Random(seed)
    found = {}
    for k in range(n):
        last = int(chance.uniform(0.3, 1) * years * YEAR) if k else int(years * YEAR)
        days = range(0, last + 1, step_days)
        top = 16 if measure == "edss" else 110
        found[f"P{k:03d}"] = [(day, chance.randint(0, top) / (2 if measure == "edss" else 1)) for day in days]
    return found


def cohort(scores: dict[str, list[tuple[int, float]]], measure: str = "edss") -> Cohort:
    return cohort_of({name: {measure: " ".join(f"{day}:{score}" for day, score in series)} for name, series in scores.items()})


def people(scores: dict[str, list[tuple[int, float]]], names: tuple[str, ...]) -> pl.DataFrame:
    rows = [(name, 0, series[-1][0], names[n % len(names)]) for n, (name, series) in enumerate(sorted(scores.items()))]
    frame = pl.DataFrame(rows, schema=["patient", "zero_day", "end_day", "arm"], orient="row")
    return frame.with_columns(pl.col("arm").cast(pl.Enum(list(names))))


def bins_of(scores: dict[str, list[tuple[int, float]]], width_days: float, names: set[str] | None = None) -> dict[int, list[float]]:
    """Return the last score of each person in each bin; bin 0 is time zero, bin n ends n widths after it."""
    found: dict[int, list[float]] = {}
    for name, series in scores.items():
        if names is None or name in names:
            last = {max(math.ceil(day / width_days), 0): score for day, score in series}
            for number, score in last.items():
                found.setdefault(number, []).append(score)
    return found


def value_at(chart: Chart, y: float) -> float:
    """Return the score at a height of the plot, from the labels of the axis."""
    ticks = [float(label) for label in axis_labels(plots(chart)[0])[1]]
    return ticks[0] + (HEIGHT - y) / HEIGHT * (ticks[-1] - ticks[0])


def tick_places(chart: Chart) -> list[tuple[int, float]]:
    """Return the ticks of the time axis, each with its place in the plot."""
    axis = next(group for group in plots(chart)[0].iter(f"{SVG}g") if "role-axis-label" in (group.get("class") or ""))
    return [(int(text.text or ""), float(re.findall(r"translate\(([-\d.]+)", text.get("transform", ""))[0])) for text in axis]


def points_of(chart: Chart) -> list[tuple[str, Point]]:
    """Return colour and place of every point."""
    return [(path.get("fill") or "", places(path)) for path in paths(plots(chart)[0], "points")]


# -- one line -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "years", "width"), [("edss", 4, YEAR / 2), ("sdmt", 4, YEAR / 2), ("edss", 12, YEAR), ("edss", 0.4, YEAR / 12)]
)
def test_medians_and_quartiles_are_those_of_the_last_scores(measure: str, years: float, width: float) -> None:
    scores = scores_of(40, years, 20 if years < 1 else 90, measure)
    chart = plot_spread(cohort(scores, measure), measure=measure)
    require_sound(chart)
    expected = {
        number: np.percentile(values, [25, 50, 75]) for number, values in sorted(bins_of(scores, width).items()) if len(values) >= 5
    }
    points = [at for _, at in points_of(chart)]
    assert [value_at(chart, y) for _, y in points] == pytest.approx([three[1] for three in expected.values()], abs=NEAR)
    a_bin = (points[1][0] - points[0][0]) / 1
    assert [x for x, _ in points] == pytest.approx([a_bin * number for number in expected], abs=NEAR)
    (band,) = paths(plots(chart)[0], "quartiles")
    heights = [value_at(chart, y) for _, y in corners(band)]
    n = len(expected)
    assert sorted(heights) == pytest.approx(sorted(v for three in expected.values() for v in (three[0], three[2])), abs=NEAR)
    assert len(heights) == 2 * n


def test_bins_end_at_their_ticks() -> None:
    scores = scores_of(40, 4)
    chart = plot_spread(cohort(scores))
    ticks = tick_places(chart)
    assert [tick for tick, _ in ticks] == [6 * n for n in range(len(ticks))]
    points = [at[0] for _, at in points_of(chart)]
    assert points == pytest.approx([x for _, x in ticks][: len(points)], abs=0.3)


@pytest.mark.parametrize(("years", "unit"), [(0.08, "Days"), (0.4, "Months"), (2, "Months"), (5, "Months"), (12, "Years"), (40, "Years")])
def test_every_number_of_people_has_its_tick(years: float, unit: str) -> None:
    scores = scores_of(30, years, max(int(years * 20), 3))
    chart = plot_spread(cohort(scores))
    require_sound(chart)
    title = next(text for text in texts(chart) if " since " in text)
    assert title == f"{unit} since time zero"
    width = {"Days": 7.0, "Months": YEAR / 12 if years < 0.5 else YEAR / 2, "Years": YEAR}[unit]
    a_unit = {"Days": 1.0, "Months": YEAR / 12, "Years": YEAR}[unit]
    bins = bins_of(scores, width)
    told = [int(text) for text in words(groups(chart, "at-risk")[0])]
    labels = [int(label) for label in axis_labels(plots(chart)[0])[0]]
    # A last visit a few days past the end of a bin belongs to it.
    if max(bins) > round(labels[-1] * a_unit / width):
        told, labels = told[:-1], labels[:-1]
    assert told == [len(bins.get(round(label * a_unit / width), [])) for label in labels]
    assert len(labels) >= 2


def test_of_few_people_nothing_is_drawn() -> None:
    scores = scores_of(4, 2)
    chart = plot_spread(cohort(scores))
    require_sound(chart)
    assert points_of(chart) == []
    assert "No bin has enough people with a score." in texts(chart)
    assert "No point is drawn of fewer than 5 people." in chart.caption
    assert "no bin has enough people with a score" in chart.alt
    assert len(points_of(plot_spread(cohort(scores_of(5, 2))))) > 0


def test_the_last_score_up_to_time_zero_stands_at_zero() -> None:
    scores = {f"P{k}": [(-400, 1.0), (-20, 2.0), (0, 4.0), (100, 6.0)] for k in range(6)}
    frame = pl.DataFrame({"patient": sorted(scores), "zero_day": [0] * 6, "end_day": [100] * 6})
    first = points_of(plot_spread(cohort(scores), people=frame))[0][1]
    assert value_at(plot_spread(cohort(scores), people=frame), first[1]) == pytest.approx(4.0, abs=NEAR)


def test_quartiles_never_end_on_the_uppermost_line_of_an_open_scale() -> None:
    scores = {f"P{k}": [(0, 4.0), (100, 4.0), (200, 4.0)] for k in range(8)}
    ticks = [float(label) for label in axis_labels(plots(plot_spread(cohort(scores)))[0])[1]]
    assert ticks[-1] > 4.0
    top = {f"P{k}": [(0, 10.0), (100, 10.0), (200, 10.0)] for k in range(8)}
    assert float(axis_labels(plots(plot_spread(cohort(top)))[0])[1][-1]) == 10


# -- groups ---------------------------------------------------------------------------------


def test_groups_stand_side_by_side_with_their_own_numbers() -> None:
    scores = scores_of(60, 4)
    frame = people(scores, ("control", "active"))
    chart = plot_spread(cohort(scores), people=frame, by="arm", by_title="treatment arm")
    require_sound(chart)
    assert chart.subtitle == "Median and quartiles, by treatment arm"
    colours = list(dict.fromkeys(colour for colour, _ in points_of(chart)))
    assert len(colours) == 2
    bars = paths(plots(chart)[0], "quartiles")
    for arm, colour, row in zip(("control", "active"), colours, groups(chart, "at-risk"), strict=True):
        names = set(frame.filter(pl.col("arm").cast(pl.String) == arm)["patient"])
        expected = {n: np.percentile(v, [25, 50, 75]) for n, v in sorted(bins_of(scores, YEAR / 2, names).items()) if len(v) >= 5}
        points = [at for found, at in points_of(chart) if found == colour]
        assert [value_at(chart, y) for _, y in points] == pytest.approx([three[1] for three in expected.values()], abs=NEAR)
        mine = [bar for bar in bars if bar.get("stroke") == colour]
        ends = [sorted(value_at(chart, y) for y in (places(bar)[1], places(bar)[1] + float(bar.get("y2", "0")))) for bar in mine]
        assert ends == [pytest.approx([three[0], three[2]], abs=NEAR) for three in expected.values()]
        assert words(row)[0] == arm and int(words(row)[1]) == len(names)
    first, second = ([at[0] for found, at in points_of(chart) if found == colour] for colour in colours)
    assert [b - a for a, b in zip(first, second, strict=False)] == pytest.approx([SIDE_STEP] * min(len(first), len(second)), abs=NEAR)


def test_groups_differ_in_colour_dash_and_marker() -> None:
    names = tuple("abcdef")
    scores = scores_of(120, 2)
    chart = plot_spread(cohort(scores), people=people(scores, names), by="arm")
    require_sound(chart)
    lines = {(line.get("stroke"), line.get("stroke-dasharray")) for line in paths(plots(chart)[0], "medians")}
    assert len(lines) == 6 and len({colour for colour, _ in lines}) == 6 and len({dash for _, dash in lines}) == 6
    shapes = {(path.get("fill"), path.get("d")) for path in paths(plots(chart)[0], "points")}
    assert len(shapes) == 6 and len({shape for _, shape in shapes}) == 6 == len(MARKERS)


def test_all_points_lie_within_the_plot() -> None:
    for n in (2, 6, 8):
        scores = scores_of(20 * n, 5)
        chart = plot_spread(cohort(scores), people=people(scores, tuple(f"group {k}" for k in range(n))), by="arm")
        assert all(0 <= x <= plot_width(plots(chart)[0]) for _, (x, _) in points_of(chart))


def test_where_groups_have_no_room_beside_each_other_quartiles_are_left_out_and_it_is_said() -> None:
    names = tuple(f"group {k}" for k in range(8))
    scores = scores_of(120, 40, 400)
    chart = plot_spread(cohort(scores), people=people(scores, names), by="arm")
    require_sound(chart)
    assert side_step(8, 40, 600) < 2.5
    assert paths(plots(chart)[0], "quartiles") == []
    assert "The quartiles of 8 groups would cover each other and are not drawn." in chart.caption


def test_a_group_of_few_people_has_numbers_but_no_line() -> None:
    scores = scores_of(24, 2)
    frame = people(scores, ("many",)).with_columns(arm=pl.Series(["few"] * 3 + ["many"] * 21))
    chart = plot_spread(cohort(scores), people=frame, by="arm")
    require_sound(chart)
    assert [words(row)[:2] for row in groups(chart, "at-risk")] == [["few", "3"], ["many", "21"]]
    assert len({colour for colour, _ in points_of(chart)}) == 1
    assert "No point is drawn of fewer than 5 people, so there is none of 'few'." in chart.caption
    # The one group that is left has a band, and stands at its ticks.
    assert len(paths(plots(chart)[0], "quartiles")) == 1 and "Shaded" in chart.caption


def test_people_without_a_group_are_counted_and_left_out() -> None:
    scores = scores_of(24, 2)
    frame = people(scores, ("a", "b")).with_columns(arm=pl.Series([None] * 4 + ["a", "b"] * 10))
    chart = plot_spread(cohort(scores), people=frame, by="arm")
    assert "4 people without a value of arm not shown." in chart.caption
    assert sum(int(words(row)[1]) for row in groups(chart, "at-risk")) == 20


def test_awkward_names() -> None:
    scores = scores_of(60, 2)
    require_sound(
        plot_spread(cohort(scores), people=people(scores, (AWKWARD, LONG, "高効果治療群")), by="arm", by_title=AWKWARD, since=LONG)
    )


def test_what_is_asked_for_must_exist() -> None:
    scores = scores_of(6, 1)
    with pytest.raises(UsageError, match="no measure 'sdmt'"):
        plot_spread(cohort(scores), measure="sdmt")
    with pytest.raises(UsageError, match="no column 'sex'"):
        plot_spread(cohort(scores), people=people(scores, ("a",)), by="sex")


# -- words ----------------------------------------------------------------------------------


def test_the_words_tell_the_numbers() -> None:
    scores = scores_of(60, 4)
    frame = people(scores, ("control", "active"))
    chart = plot_spread(cohort(scores), people=frame, by="arm")
    for arm in ("control", "active"):
        names = set(frame.filter(pl.col("arm").cast(pl.String) == arm)["patient"])
        bins = {n: v for n, v in sorted(bins_of(scores, YEAR / 2, names).items()) if len(v) >= 5}
        for number in (min(bins), max(bins)):
            low, middle, high = np.percentile(bins[number], [25, 50, 75])
            at = "time zero" if number == 0 else f"{6 * number} months"
            assert f"at {at} {middle:.3g} (quartiles {low:.3g} to {high:.3g}, {len(bins[number])} people)" in chart.alt
    assert chart.alt.startswith("EDSS over time. Median of the EDSS with quartiles, by arm. control: at time zero ")


def test_ticks_of_scores_are_even() -> None:
    for measure in ("edss", "sdmt", "t25fw"):
        chart = plot_spread(cohort(scores_of(30, 3, measure=measure), measure), measure=measure)
        ticks = [float(label) for label in axis_labels(plots(chart)[0])[1]]
        assert 3 <= len(ticks) <= 12
        assert len({round(b - a, 6) for a, b in pairwise(ticks)}) == 1
