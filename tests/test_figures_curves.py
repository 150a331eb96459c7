"""Survival, incidence and mean-count curves: what is drawn, counted and told is what was estimated."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from test_figures_chart import (
    AWKWARD,
    LONG,
    axis_labels,
    corners,
    groups,
    outcome_of,
    own_texts,
    paths,
    plot_width,
    plots,
    require_sound,
    root,
    texts,
    words,
)

from smoulder.analysis import cumulative_incidence, kaplan_meier
from smoulder.estimates import CURVE_SCHEMA, Curve, SurvivalOutcome
from smoulder.figures import Chart, plot_curve
from smoulder.figures.curves import HEIGHT
from smoulder.figures.palette import DASHES, SERIES_COLOURS

SIX = ("first", LONG[:60], "ψηφιακή ομάδα", "高効果治療群", '<b>&"x"</b>', "Лечение по показаниям")
# Coordinates of paths are written with three decimals, and times are given to the plot with six.
NEAR = 0.01


def last_day(chart_curve: Curve) -> int:
    return max(chart_curve.table.filter((pl.col("at_risk") > 0) | (pl.col("day") == 0))["day"].to_list())


def top_of(chart: Chart) -> float:
    return float(axis_labels(plots(chart)[0])[1][-1])


def expected_corners(curve: Curve, chart: Chart, column: str, *, turned: bool = False, **where: str) -> set[tuple[float, float]]:
    """Return where each row of a curve has to lie, from the table alone."""
    width, top = plot_width(plots(chart)[0]), top_of(chart)
    rows = curve.table.filter([pl.col(name) == value for name, value in where.items()]).filter(pl.col(column).is_not_null())
    rows = rows.filter((pl.col("at_risk") > 0) | (pl.col("day") == 0))
    shares = [1 - value if turned else value for value in rows[column].to_list()]
    return {(day / last_day(curve) * width, HEIGHT * (1 - 100 * share / top)) for day, share in zip(rows["day"], shares, strict=True)}


def missing(expected: set[tuple[float, float]], found: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in expected if not any(abs(x - a) < NEAR and abs(y - b) < NEAR for a, b in found)]


def at_risk(outcome: SurvivalOutcome, group: str, after_days: float) -> int:
    """Return how many people of a group are at risk just before a time, counted from the times of the people."""
    mine = (outcome.people["group"].cast(pl.String) == group).to_numpy()
    return int((outcome.time[mine] >= math.ceil(after_days)).sum())


# -- what is drawn --------------------------------------------------------------------------


def test_the_steps_and_the_limits_are_those_of_the_estimate() -> None:
    curve = kaplan_meier(outcome_of(60, ("control", "active")), by="group")
    chart = plot_curve(curve)
    lines, bands = paths(plots(chart)[0], "curves"), paths(plots(chart)[0], "limits")
    assert (len(lines), len(bands)) == (2, 2)
    for group, line, band in zip(("control", "active"), lines, bands, strict=True):
        expected = expected_corners(curve, chart, "estimate", group=group)
        assert len(expected) > 20
        assert missing(expected, corners(line)) == []
        for column in ("lower", "upper"):
            assert missing(expected_corners(curve, chart, column, group=group), corners(band)) == []


def test_a_step_holds_until_the_next_day() -> None:
    plot = plots(plot_curve(kaplan_meier(outcome_of(60))))[0]
    for path in (*paths(plot, "curves"), *paths(plot, "limits")):
        assert len(corners(path)) > 20
        # Each piece is flat or upright.
        assert all(abs(a[0] - b[0]) < NEAR or abs(a[1] - b[1]) < NEAR for a, b in pairwise(corners(path)))


def test_each_cause_has_its_incidence() -> None:
    curve = cumulative_incidence(outcome_of(90, causes=("PIRA", "RAW")))
    chart = plot_curve(curve)
    for cause, line in zip(("PIRA", "RAW"), paths(plots(chart)[0], "curves"), strict=True):
        assert missing(expected_corners(curve, chart, "estimate", cause=cause), corners(line)) == []


@pytest.mark.parametrize("days", [30, 300, 2000, 14610])
def test_the_numbers_at_risk_are_those_of_each_tick(days: int) -> None:
    outcome = outcome_of(200, ("control", "active"), last_day=days)
    chart = plot_curve(kaplan_meier(outcome, by="group"))
    axis = axis_labels(plots(chart)[0])[0]
    title = next(text for text in texts(chart) if " since " in text)
    a_unit = {"Days": 1.0, "Months": 365.25 / 12, "Years": 365.25}[title.split()[0]]
    assert title == f"{title.split()[0]} since time zero"
    for group, row in zip(("control", "active"), groups(chart, "at-risk"), strict=True):
        name, *numbers = words(row)
        assert name == group
        assert [int(number) for number in numbers] == [at_risk(outcome, group, int(tick) * a_unit) for tick in axis]


def test_the_numbers_stand_below_their_ticks() -> None:
    chart = plot_curve(kaplan_meier(outcome_of(60)))
    plot = plots(chart)[0]
    left = float(re.findall(r"translate\((-?[\d.]+)", plot.get("transform", ""))[0])
    ticks = [int(tick) * 365.25 for tick in axis_labels(plot)[0]]
    width, last = plot_width(plot), last_day(kaplan_meier(outcome_of(60)))
    row = groups(chart, "at-risk")[0]
    places = [float(text.get("x", "0")) for text in row.iter("{http://www.w3.org/2000/svg}text")]
    # The sheet writes two decimals.
    assert places == pytest.approx([left + tick / last * width for tick in ticks], abs=0.02)


def test_a_curve_ends_where_nobody_is_followed() -> None:
    outcome = outcome_of(40, ("control", "active"))
    short = outcome.only((outcome.people["group"].cast(pl.String) == "control").to_numpy() | (outcome.time < 700))
    curve = kaplan_meier(short, by="group")
    chart = plot_curve(curve)
    width = plot_width(plots(chart)[0])
    ends = [max(x for x, _ in corners(line)) for line in paths(plots(chart)[0], "curves")]
    mine = (short.people["group"].cast(pl.String) == "active").to_numpy()
    assert ends[1] == pytest.approx(int(short.time[mine].max()) / last_day(curve) * width, abs=NEAR)
    assert ends[1] < 0.5 * ends[0]


def test_lines_differ_in_colour_and_in_dash() -> None:
    lines = paths(plots(plot_curve(kaplan_meier(outcome_of(240, SIX), by="group")))[0], "curves")
    colours, dashes = [line.get("stroke") for line in lines], [line.get("stroke-dasharray") for line in lines]
    assert colours == list(SERIES_COLOURS[:6])
    assert dashes == [",".join(f"{part:g}" for part in dash) for dash in DASHES[:6]]


def test_groups_and_causes_together_differ_in_black_and_white() -> None:
    lines = paths(plots(plot_curve(cumulative_incidence(outcome_of(200, ("a", "b"), ("PIRA", "RAW")), by="group")))[0], "curves")
    assert len({(line.get("stroke-dasharray"), line.get("stroke-width")) for line in lines}) == 4
    assert len({line.get("stroke") for line in lines}) == 2


def test_strokes_mark_where_people_were_censored() -> None:
    outcome = outcome_of(40)
    strokes = paths(plots(plot_curve(kaplan_meier(outcome), censor_ticks=True))[0], "censored")
    assert len(strokes) == len(set(outcome.time[~outcome.event].tolist()))
    assert paths(plots(plot_curve(kaplan_meier(outcome)))[0], "censored") == []


# -- up and down ----------------------------------------------------------------------------

RARE = outcome_of(120, ("control", "active"), share=0.07, seed=5)


def test_where_events_are_rare_the_share_with_them_rises() -> None:
    curve = kaplan_meier(RARE, by="group")
    assert min(curve.table["estimate"].to_list()) > 0.7
    chart = plot_curve(curve)
    assert (chart.title, "With first PIRA (%)" in texts(chart)) == ("Time to first PIRA", True)
    assert top_of(chart) < 100 and f"The axis ends at {top_of(chart):g} %." in chart.caption
    assert "1 minus the Kaplan–Meier estimate" in chart.caption
    for group, line, band in zip(("control", "active"), *(paths(plots(chart)[0], name) for name in ("curves", "limits")), strict=True):
        assert missing(expected_corners(curve, chart, "estimate", turned=True, group=group), corners(line)) == []
        for column in ("lower", "upper"):
            assert missing(expected_corners(curve, chart, column, turned=True, group=group), corners(band)) == []


def test_one_curve_that_falls_far_keeps_all_falling() -> None:
    curve = kaplan_meier(outcome_of(60), by="group")
    assert "Free of first PIRA (%)" in texts(plot_curve(curve))
    assert top_of(plot_curve(curve)) == 100


def test_either_way_can_be_asked_for() -> None:
    rare, common = kaplan_meier(RARE), kaplan_meier(outcome_of(60))
    assert "Free of first PIRA (%)" in texts(plot_curve(rare, rising=False))
    assert "With first PIRA (%)" in texts(plot_curve(common, rising=True))
    assert plot_curve(rare, title="My title").title == "My title"


def test_without_an_event_the_share_free_of_it_is_drawn() -> None:
    chart = plot_curve(kaplan_meier(outcome_of(30, share=0)))
    assert "Free of first PIRA (%)" in texts(chart)
    assert "Nobody had the event (30 people)" in chart.caption


# -- edges ----------------------------------------------------------------------------------


def edges() -> dict[str, Chart]:
    two = kaplan_meier(outcome_of(60, ("x", "y")), by="group")
    without = two.table.with_columns(lower=pl.lit(None, pl.Float64), upper=pl.lit(None, pl.Float64))
    return {
        "one person": plot_curve(kaplan_meier(outcome_of(1, share=1))),
        "nobody": plot_curve(kaplan_meier(outcome_of(0))),
        "thirty days": plot_curve(kaplan_meier(outcome_of(60, last_day=30))),
        "forty years": plot_curve(kaplan_meier(outcome_of(300, last_day=14610))),
        "six groups": plot_curve(kaplan_meier(outcome_of(240, SIX), by="group"), by=AWKWARD, since=LONG),
        "six groups, three causes": plot_curve(cumulative_incidence(outcome_of(240, SIX, ("PIRA", "RAW", "death")), by="group")),
        "awkward group": plot_curve(kaplan_meier(outcome_of(60, (AWKWARD, LONG)), by="group"), title=AWKWARD),
        "no limits": plot_curve(replace(two, table=without)),
        "empty": plot_curve(replace(two, table=two.table.clear(), quantiles=two.quantiles.clear())),
    }


EDGES = edges()


@pytest.mark.parametrize("name", EDGES)
def test_the_edges_are_sound(name: str) -> None:
    require_sound(EDGES[name])


def test_limits_that_do_not_exist_are_not_drawn_or_told() -> None:
    chart = EDGES["no limits"]
    assert paths(plots(chart)[0], "limits") == []
    assert "at 3 years 66.1 %, at 5 years" in chart.alt and "limits" not in chart.caption


def test_where_nobody_was_followed_it_is_said() -> None:
    for name in ("nobody", "empty"):
        assert "Nobody was followed." in texts(EDGES[name])
        assert "Nobody was followed" in EDGES[name].alt or "nobody was followed" in EDGES[name].alt


def test_limits_of_many_curves_are_left_out_and_it_is_said() -> None:
    chart = EDGES["six groups"]
    assert paths(plots(chart)[0], "limits") == []
    assert "The 95 % limits of 6 curves would cover each other and are not drawn." in chart.caption


def test_a_long_name_is_whole_beside_the_numbers_or_in_the_words() -> None:
    chart = EDGES["six groups"]
    assert all(name in chart.alt for name in SIX)
    assert SIX[1] in texts(chart)


def test_a_course_without_numbers_at_risk_has_no_row_of_them() -> None:
    curve = kaplan_meier(outcome_of(50))
    days = [0, 300, 600]
    course = pl.DataFrame({"group": ["course"] * 3, "cause": [curve.table["cause"][0]] * 3, "day": days, "estimate": [1.0, 0.9, 0.8]})
    added = course.with_columns([pl.lit(None, dtype).alias(name) for name, dtype in CURVE_SCHEMA.items() if name not in course.columns])
    table = pl.concat([curve.table, added.select(list(CURVE_SCHEMA)).cast(CURVE_SCHEMA)])  # pyright: ignore[reportArgumentType]
    chart = plot_curve(replace(curve, table=table))
    require_sound(chart)
    assert [words(row)[0] for row in groups(chart, "at-risk")] == ["all"]
    assert "No numbers at risk are known of course." in chart.caption
    assert "course: at 1 year 90 %" in chart.alt
    assert "course: 0" not in chart.alt


# -- words ----------------------------------------------------------------------------------


def percent_of(share: float) -> str:
    return re.sub(r"\.0$", "", f"{100 * share:.1f}")


def test_the_words_tell_the_numbers_of_the_estimate() -> None:
    outcome = outcome_of(80, ("control", "active"))
    days = [round(2 * 365.25), round(5 * 365.25)]
    curve = kaplan_meier(outcome, by="group", at_days=days)
    chart = plot_curve(curve)
    for group in ("control", "active"):
        row = curve.quantiles.filter(pl.col("group") == group).to_dicts()[0]
        assert f"{group}: {row['n']} people, {row['events']} events, median {row['median_days'] / 365.25:.1f} years" in chart.alt
        for year, at in zip((3, 5), curve.at_days.filter(pl.col("group") == group).to_dicts(), strict=True):
            if year == 3:
                continue
            limits = f"95 % limits {percent_of(at['lower'])} % to {percent_of(at['upper'])} %"
            assert f"at {year} years {percent_of(at['estimate'])} % ({limits})" in chart.alt
    p = curve.tests["p"][0]
    assert f"Log-rank: p = {p:.2f}." in chart.alt


def test_the_words_of_rising_curves_tell_the_share_with_the_event() -> None:
    curve = kaplan_meier(RARE, by="group", at_days=[round(3 * 365.25)])
    chart = plot_curve(curve)
    assert "Share with first PIRA over" in chart.alt
    for row in curve.at_days.iter_rows(named=True):
        limits = f"95 % limits {percent_of(1 - row['upper'])} % to {percent_of(1 - row['lower'])} %"
        assert f"at 3 years {percent_of(1 - row['estimate'])} % ({limits})" in chart.alt


def test_people_and_events_are_below_the_figure() -> None:
    outcome = outcome_of(81, ("control", "active"))
    counts = [int(outcome.event[(outcome.people["group"].cast(pl.String) == name).to_numpy()].sum()) for name in ("control", "active")]
    chart = plot_curve(kaplan_meier(outcome, by="group"), by="arm", since="randomisation")
    assert chart.caption.startswith(f"Events: {counts[0]} of 41 people (control), {counts[1]} of 40 (active).")
    assert chart.subtitle.startswith("By arm; log-rank: p = ")
    assert "Years since randomisation" in texts(chart)
    causes = outcome_of(81, causes=("PIRA", "RAW"))
    n = [int((causes.cause == k).sum()) for k in (1, 2)]
    assert plot_curve(cumulative_incidence(causes)).caption.startswith(f"Events of 81 people: PIRA {n[0]}, RAW {n[1]}.")


def test_every_text_of_the_axes_lies_on_the_sheet() -> None:
    for chart in EDGES.values():
        _, _, width, height = (float(part) for part in root(chart).get("viewBox", "").split())
        for plot in plots(chart):
            left, top = (float(part) for part in re.findall(r"-?[\d.]+", plot.get("transform", "")))
            assert 20 < left < left + plot_width(plot) < width
            assert 0 < top < top + HEIGHT + 20 < height
        assert all(box[3] <= height for _, box in own_texts(chart))
