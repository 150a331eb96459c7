"""Forest plots: every ratio at its place, the level compared with in a row of its own, and limits that never leave the axis."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from test_figures_chart import (
    AWKWARD,
    LONG,
    SVG,
    groups,
    outcome_of,
    own_texts,
    paths,
    places,
    plots,
    require_sound,
    root,
    texts,
    words,
)

from smoulder.analysis import cox
from smoulder.estimates import CHECK_SCHEMA, EFFECT_SCHEMA, REFERENCE_SCHEMA, Effects, Scale, Term, as_frame
from smoulder.figures import Chart, plot_forest
from smoulder.figures.forest import PLOT, ratio, ticks_between

# Vega draws to the last bit of the logarithm and writes all digits; limits are clamped to ticks.
NEAR = 0.01
AGE = Term(column="age", title="age", per=10, unit="years")


def row(term: str, estimate: float | None, lower: float | None, upper: float | None, **more: Any) -> dict[str, Any]:
    said = {"model": "adjusted", "outcome": "first PIRA", "term": term, "level": "", "against": "1 more", "n": 120, "events": 30, "why": ""}
    return said | {"estimate": estimate, "lower": lower, "upper": upper, "p": 0.2} | more


def effects(*rows: dict[str, Any], scale: Scale = "hazard ratio", title: str = "Ratios of first PIRA", **more: Any) -> Effects:
    frames = {"table": as_frame(list(rows), EFFECT_SCHEMA), "checks": as_frame([], CHECK_SCHEMA)}
    return Effects(title=title, method="", scale=scale, **frames, **more)


def axis_of(chart: Chart) -> dict[float, float]:
    """Return the ticks of the axis: value -> place in the plot."""
    found = {}
    for text in plots(chart)[0].iter(f"{SVG}text"):
        place = text.get("transform", "").removeprefix("translate(").split(",")[0]
        found[float(text.text or "")] = float(place)
    return found


def place_of(chart: Chart, value: float) -> float:
    """Return where a ratio must stand, from the first and the last tick."""
    (low, first), (high, last) = min(axis_of(chart).items()), max(axis_of(chart).items())
    return first + (last - first) * math.log(value / low) / math.log(high / low)


def lines_of(chart: Chart) -> list[tuple[float, float, float]]:
    """Return left end, right end and height of every line of limits."""
    found = []
    for line in paths(plots(chart)[0], "limits"):
        x, y = places(line)
        ends = sorted((x, x + float(line.get("x2", "0"))))
        found.append((ends[0], ends[1], y))
    return sorted(found, key=lambda line: line[2])


# -- where things stand ---------------------------------------------------------------------


def test_estimates_and_limits_stand_where_their_logarithm_says() -> None:
    chart = plot_forest(effects(row("a", 0.7, 0.4, 1.3), row("b", 1.6, 1.1, 3.9), row("c", 1.0, 0.9, 1.1)))
    require_sound(chart)
    points = sorted((places(point) for point in paths(plots(chart)[0], "estimates")), key=lambda at: at[1])
    assert [x for x, _ in points] == pytest.approx([place_of(chart, value) for value in (0.7, 1.6, 1.0)], abs=NEAR)
    expected = [(place_of(chart, low), place_of(chart, high)) for low, high in ((0.4, 1.3), (1.1, 3.9), (0.9, 1.1))]
    assert [line[:2] for line in lines_of(chart)] == [pytest.approx(ends, abs=NEAR) for ends in expected]
    assert [y for _, y in points] == [y for _, _, y in lines_of(chart)]
    (one,) = paths(plots(chart)[0], "one")
    assert places(one)[0] == pytest.approx(place_of(chart, 1.0), abs=NEAR)


def test_points_stand_beside_their_words() -> None:
    chart = plot_forest(effects(row("a", 0.7, 0.4, 1.3), row("b", 1.6, 1.1, 3.9)))
    top = float(plots(chart)[0].get("transform", "").rstrip(")").split()[-1])
    points = sorted(places(point)[1] + top for point in paths(plots(chart)[0], "estimates"))
    written = [float(group.findall(f"{SVG}text")[-1].get("y", "0")) for group in groups(chart, "effect")]
    # The base line of a text of 12 lies 4 below its middle.
    assert points == pytest.approx([y - 4 for y in written], abs=0.1)


def test_the_numbers_are_written_beside() -> None:
    chart = plot_forest(effects(row("a", 0.7, 0.4, 1.3, n=1200, events=37)))
    assert words(groups(chart, "effect")[0]) == ["a", "1 more", "1,200", "37", "0.70 (0.40 to 1.30)"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.001, "0.001"), (0.0004, "<0.001"), (0.0, "0"), (0.0996, "0.100"), (0.1, "0.10"), (9.99, "9.99"), (9.996, "10.0"), (1000, "1,000")],
)
def test_ratios_have_two_decimals_or_three_digits(value: float, text: str) -> None:
    assert ratio(value) == text


# -- the level compared with ----------------------------------------------------------------


def test_the_level_compared_with_has_a_row_with_its_people_and_events() -> None:
    outcome = outcome_of(300, ("a", "b", "c"))
    chart = plot_forest(cox(outcome, [Term(column="group", title="arm", reference="b"), AGE]))
    require_sound(chart)
    (reference,) = groups(chart, "reference")
    mine = (outcome.people["group"].cast(pl.String) == "b").to_numpy()
    assert words(reference) == ["b", str(int(mine.sum())), str(int(outcome.event[mine].sum())), "1 (reference)"]
    assert [words(group)[0] for group in groups(chart, "term")] == ["arm"]
    assert [words(group)[0] for group in groups(chart, "effect")] == ["a", "c", "age"]
    (hollow,) = paths(plots(chart)[0], "references")
    assert hollow.get("fill") == "#ffffff"
    assert places(hollow)[0] == pytest.approx(place_of(chart, 1.0), abs=NEAR)


def test_two_levels_stand_below_each_other_with_the_name_of_the_term() -> None:
    chart = plot_forest(cox(outcome_of(200, ("control", "active")), [Term(column="group", title="arm")]))
    assert [words(group)[0] for role in ("reference", "effect") for group in groups(chart, role)] == ["arm: control", "arm: active"]
    assert "level compared with, 'control'" not in chart.caption
    assert "Hollow squares: the level compared with." in chart.caption


def test_a_long_name_of_a_term_stands_once_above_its_two_levels() -> None:
    title = "PIRA within five years of the first attack"
    chart = plot_forest(cox(outcome_of(200, ("no", "yes")), [Term(column="group", title=title)]))
    require_sound(chart)
    assert [words(group) for group in groups(chart, "term")] == [[title]]
    assert [words(group)[0] for role in ("reference", "effect") for group in groups(chart, role)] == ["no", "yes"]


def test_without_its_counts_the_level_compared_with_is_still_named() -> None:
    chart = plot_forest(effects(row("arm", 0.7, 0.4, 1.3, level="active", against="control")))
    assert words(groups(chart, "reference")[0]) == ["arm: control", "1 (reference)"]


def test_a_number_has_its_step_and_no_reference() -> None:
    chart = plot_forest(cox(outcome_of(200), [AGE]))
    assert groups(chart, "reference") == []
    assert words(groups(chart, "effect")[0])[:2] == ["age", "10 years more"]


def test_a_term_with_one_level_says_so_once() -> None:
    chart = plot_forest(cox(outcome_of(200, ("only",)), [Term(column="group", title="arm"), AGE]))
    require_sound(chart)
    found = words(groups(chart, "effect")[0])
    assert found[0] == "arm" and found[1].isdecimal()
    assert "in one level, 'only'." in " ".join(found)


def test_counts_are_those_of_the_model_and_outcome_of_the_row() -> None:
    references = [
        {
            "model": "adjusted",
            "outcome": outcome,
            "term": "arm",
            "level": "control",
            "n": n,
            "events": n // 10,
            "note": f"Note of {outcome}.",
        }
        for outcome, n in (("first PIRA", 70), ("first RAW", 50))
    ]
    arm = {"level": "active", "against": "control"}
    both = [
        effects(
            row("arm", 0.7, 0.4, 1.3, outcome=one["outcome"], **arm),
            title=f"Ratios of {one['outcome']}",
            references=as_frame([one], REFERENCE_SCHEMA),
            notes=(one["note"], "Said of both.", f"Only of {one['outcome']}."),
        )
        for one in references
    ]
    chart = plot_forest(both)
    require_sound(chart)
    assert [words(group) for group in groups(chart, "heading")] == [["first PIRA"], ["first RAW"]]
    assert [words(group)[1:3] for group in groups(chart, "reference")] == [["70", "7"], ["50", "5"]]
    assert chart.title == "Hazard ratios"
    assert "Note of" not in chart.caption
    assert chart.caption.count("Said of both.") == 1
    assert "first RAW: Only of first RAW." in chart.caption


def test_one_table_of_two_outcomes_has_the_counts_of_each() -> None:
    said = {"model": "adjusted", "term": "arm", "level": "control", "events": 5, "note": ""}
    references = as_frame([said | {"outcome": "first PIRA", "n": 70}, said | {"outcome": "first RAW", "n": 50}], REFERENCE_SCHEMA)
    rows = [row("arm", 0.7, 0.4, 1.3, outcome=name, level="active", against="control") for name in ("first RAW", "first PIRA")]
    chart = plot_forest(effects(*rows, references=references))
    assert [words(group)[1] for group in groups(chart, "reference")] == ["50", "70"]


# -- what lies beyond, and what is missing --------------------------------------------------

FORTY = [row(f"term {n}", 10 ** (n / 39 * 6 - 3), 10 ** (n / 39 * 6 - 3) / 2, 10 ** (n / 39 * 6 - 3) * 3) for n in range(40)]


def test_forty_rows_from_a_thousandth_to_a_thousand_stay_on_the_axis() -> None:
    chart = plot_forest(effects(*FORTY))
    require_sound(chart)
    assert len(groups(chart, "effect")) == 40
    assert all(0 <= left < right <= PLOT for left, right, _ in lines_of(chart))
    points = [places(point)[0] for point in paths(plots(chart)[0], "estimates")]
    assert all(0 <= x <= PLOT for x in points)
    outside = sum(not 0.01 <= one["estimate"] <= 100 for one in FORTY)
    assert len(points) == 40 - outside
    beyond = sum((one["lower"] < 0.01) + (one["upper"] > 100) for one in FORTY)
    assert len(paths(plots(chart)[0], "arrows")) == beyond
    assert "An arrow: a limit, or the estimate itself, lies beyond the axis." in chart.caption


def test_labels_of_the_axis_never_touch() -> None:
    for last in (2.0, 9.0, 40.0, 90.0, 5000.0):
        for first in (0.0001, 0.02, 0.3, 0.9):
            chart = plot_forest(effects(row("a", 1.0, first, last), row("b", first, first, last), row("c", last, first, last)))
            ticks = sorted(axis_of(chart).items())
            # A digit of 11 is at most 7 wide.
            assert all(b - a > 7 * (len(f"{x:g}") + len(f"{y:g}")) / 2 for (x, a), (y, b) in pairwise(ticks))
            assert 1.0 in axis_of(chart)
            assert (ticks[0][1], ticks[-1][1]) == (0, PLOT)


def test_ticks_are_at_powers_of_ten_alone_on_a_long_axis() -> None:
    assert ticks_between(0.5, 2) == [0.5, 1, 2]
    assert ticks_between(0.01, 100) == [0.01, 0.1, 1, 10, 100]


def test_limits_that_are_infinite_or_missing() -> None:
    chart = plot_forest(effects(row("a", 1.5, 0.8, math.inf), row("b", 0.8, 0.0, 1.4), row("c", 1.2, None, None)))
    require_sound(chart)
    assert [words(group)[-1] for group in groups(chart, "effect")] == ["1.50 (0.80 to ∞)", "0.80 (0 to 1.40)", "1.20 (no limits)"]
    assert len(lines_of(chart)) == 2
    assert len(paths(plots(chart)[0], "arrows")) == 2
    assert len(paths(plots(chart)[0], "estimates")) == 3


def test_a_row_without_an_estimate_says_why() -> None:
    why = "No events among them, so there is no estimate."
    chart = plot_forest(effects(row("a", None, None, None, why=why), row("b", 1.2, 0.9, 1.5)))
    require_sound(chart)
    found = words(groups(chart, "effect")[0])
    assert "not estimated" in found and why in " ".join(found)
    assert f"a, 1 more (120 people, 30 events): not estimated, {why}" in chart.alt
    assert len(paths(plots(chart)[0], "estimates")) == 1


def test_infinite_estimates_are_written_and_not_drawn() -> None:
    chart = plot_forest(effects(row("a", math.inf, 2.0, math.inf), row("b", 1.2, 0.9, 1.5)))
    require_sound(chart)
    assert "∞ (2.00 to ∞)" in texts(chart)
    assert len(paths(plots(chart)[0], "estimates")) == 1


def test_nothing_to_show() -> None:
    for chart in (plot_forest([]), plot_forest(effects())):
        require_sound(chart)
        assert "There is no effect to show." in texts(chart)


def test_long_and_awkward_names() -> None:
    rows = [row(AWKWARD, 1.2, 0.9, 1.5), row(LONG, 1.2, 0.9, 1.5), row("高効果治療群" * 9, 1.2, 0.9, 1.5)]
    rows += [row(f"{LONG} again", 0.9, 0.5, 1.5, level=level, against=LONG) for level in (AWKWARD, f"{LONG} more")]
    chart = plot_forest(effects(*rows), title=AWKWARD)
    require_sound(chart)
    assert LONG in chart.alt


def test_texts_do_not_reach_into_the_next_column() -> None:
    chart = plot_forest(effects(*FORTY, row(LONG, 1.2, 0.9, 1.5, n=123456, events=98765)))
    plot_left = float(plots(chart)[0].get("transform", "").removeprefix("translate(").split()[0])
    names = {text for group in groups(chart, "effect") for text in words(group)[:-1]}
    assert all(box[2] <= plot_left for text, box in own_texts(chart) if text in names)


# -- words ----------------------------------------------------------------------------------


def test_the_words_tell_every_number() -> None:
    outcome = outcome_of(200, ("control", "active"))
    found = cox(outcome, [Term(column="group", title="arm"), AGE])
    chart = plot_forest(found)
    arm, age = found.table.to_dicts()
    mine = (outcome.people["group"].cast(pl.String) == "control").to_numpy()
    control = f"{int(mine.sum())} people, {int(outcome.event[mine].sum())} events"

    def told(of: dict[str, Any]) -> str:
        return f"hazard ratio {ratio(of['estimate'])} ({ratio(of['lower'])} to {ratio(of['upper'])})"

    assert f"arm: active ({arm['n']} people, {arm['events']} events) against control ({control}): {told(arm)}." in chart.alt
    assert f"age, 10 years more ({age['n']} people, {age['events']} events): {told(age)}." in chart.alt


def test_scales_have_their_directions() -> None:
    assert {"← lower hazard", "higher hazard →"} <= set(texts(plot_forest(effects(row("a", 1.2, 0.9, 1.5)))))
    assert {"← less often", "more often →"} <= set(texts(plot_forest(effects(row("a", 1.2, 0.9, 1.5), scale="odds ratio"))))
    both = plot_forest([effects(row("a", 1.2, 0.9, 1.5)), effects(row("b", 1.2, 0.9, 1.5), scale="odds ratio")])
    assert {"← lower", "higher →"} <= set(texts(both))
    assert [words(group) for group in groups(both, "heading")] == [["hazard ratio"], ["odds ratio"]]


def test_the_outcome_is_not_said_twice() -> None:
    assert plot_forest(effects(row("a", 1.2, 0.9, 1.5))).subtitle == "Model: adjusted"
    assert plot_forest(effects(row("a", 1.2, 0.9, 1.5)), title="Mine").subtitle == "Outcome: first PIRA; Model: adjusted"


def test_a_table_is_not_changed_by_being_drawn() -> None:
    found = effects(row("a", 1.2, 0.9, 1.5))
    before = found.table.clone()
    assert root(plot_forest(found)) is not None
    assert found.table.equals(before) and replace(found).table.equals(before)
