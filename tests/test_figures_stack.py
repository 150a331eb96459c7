"""Stacked cumulative incidence: areas of the right height, in black and white too, and words with the same numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl
import pytest
from test_figures_chart import (
    AWKWARD,
    LONG,
    SVG,
    axis_labels,
    corners,
    groups,
    outcome_of,
    paths,
    plot_width,
    plots,
    require_sound,
    root,
    texts,
    words,
)

from smoulder.analysis import cumulative_incidence, kaplan_meier
from smoulder.errors import UsageError
from smoulder.estimates import Curve
from smoulder.figures import Chart, plot_stack
from smoulder.figures.stack import HEIGHTS, LOWEST

CAUSES = ("PIRA", "RAW", "undefined")
# Coordinates of paths are written with three decimals, and times are given to the plot with six.
NEAR = 0.01


def stacked(curve: Curve, group: str) -> dict[int, list[float]]:
    """Return the upper edges of the areas on each day, added up from the table: each cause as it stands on that day."""
    mine = curve.table.filter((pl.col("group") == group) & (pl.col("at_risk") > 0))
    edges: dict[int, list[float]] = {}
    for day in mine["day"].unique().sort().to_list():
        total, found = 0.0, []
        for cause in mine["cause"].unique(maintain_order=True).to_list():
            total += mine.filter((pl.col("cause") == cause) & (pl.col("day") <= day)).sort("day")["estimate"][-1]
            found.append(total)
        edges[day] = found
    return edges


def top_of(chart: Chart, panel: int = 0) -> float:
    return float(axis_labels(plots(chart)[panel])[1][-1])


def percent_of(share: float) -> str:
    return re.sub(r"\.0$", "", f"{100 * share:.1f}")


@pytest.mark.parametrize("names", [("all",), ("early", "late"), ("a", "b", "c", "d", "e", "f")])
def test_the_areas_are_as_high_as_the_incidences_together(names: tuple[str, ...]) -> None:
    curve = cumulative_incidence(outcome_of(60 * len(names), names, CAUSES), by="group")
    chart = plot_stack(curve)
    require_sound(chart)
    assert len(plots(chart)) == len(names)
    last = max(max(stacked(curve, group)) for group in names)
    height = HEIGHTS.get(len(names), LOWEST)
    for n, group in enumerate(names):
        plot = plots(chart)[n]
        for cause in range(3):
            rows = stacked(curve, group).items()
            expected = {(day / last * plot_width(plot), height * (1 - 100 * edges[cause] / top_of(chart))) for day, edges in rows}
            for layer in (f"area{cause}", f"lines{cause}", f"edge{cause}"):
                found = corners(paths(plot, layer)[0])
                assert [at for at in expected if not any(abs(at[0] - x) < NEAR and abs(at[1] - y) < NEAR for x, y in found)] == []


def test_panels_share_one_axis() -> None:
    chart = plot_stack(cumulative_incidence(outcome_of(90, ("early", "late"), CAUSES), by="group"))
    assert axis_labels(plots(chart)[0]) == axis_labels(plots(chart)[1])


def test_areas_differ_in_colour_and_in_pattern() -> None:
    chart = plot_stack(cumulative_incidence(outcome_of(90, causes=CAUSES)))
    plot = plots(chart)[0]
    assert len({paths(plot, f"area{n}")[0].get("fill") for n in range(3)}) == 3
    assert len({paths(plot, f"lines{n}")[0].get("fill") for n in range(3)}) == 3
    lines = {pattern[0].get("d") for pattern in root(chart).iter(f"{SVG}pattern")}
    assert len(lines) == 3 and "" in lines


def test_each_area_is_named_with_its_share_at_the_end_from_the_top_down() -> None:
    curve = cumulative_incidence(outcome_of(90, causes=CAUSES))
    chart = plot_stack(curve)
    edges = stacked(curve, "all")
    last = edges[max(edges)]
    shares = [last[0], last[1] - last[0], last[2] - last[1]]
    labels = [words(label) for label in groups(chart, "label")]
    assert labels == [[cause, f"{percent_of(share)} %"] for cause, share in reversed(list(zip(CAUSES, shares, strict=True)))]
    assert groups(chart, "key") == []


def test_names_of_areas_without_height_stand_in_the_order_of_the_areas() -> None:
    chart = plot_stack(cumulative_incidence(outcome_of(30, causes=CAUSES, share=0)))
    places = {words(label)[0]: float(label.findall(f"{SVG}text")[0].get("y", "0")) for label in groups(chart, "label")}
    assert places["undefined"] < places["RAW"] < places["PIRA"]


def test_where_names_have_no_room_beside_the_areas_there_is_a_key() -> None:
    causes = (LONG, f"another {LONG}")
    chart = plot_stack(cumulative_incidence(outcome_of(90, ("early", "late"), causes), by="group"))
    require_sound(chart)
    assert groups(chart, "label") == []
    assert [key.findtext(f"{SVG}title") for key in groups(chart, "key")] == list(causes)
    assert all(cause in chart.alt for cause in causes)


def test_the_numbers_at_risk_are_those_of_each_tick() -> None:
    outcome = outcome_of(120, ("early", "late"), CAUSES)
    chart = plot_stack(cumulative_incidence(outcome, by="group"))
    ticks = [int(tick) * 365.25 for tick in axis_labels(plots(chart)[0])[0]]
    for name, row in zip(("early", "late"), groups(chart, "at-risk"), strict=True):
        mine = outcome.time[(outcome.people["group"].cast(pl.String) == name).to_numpy()]
        assert words(row) == ["At risk", *(str(int((mine >= tick).sum())) for tick in ticks)]


def test_the_words_tell_every_share_and_their_sum() -> None:
    curve = cumulative_incidence(outcome_of(90, ("early", "late"), CAUSES), by="group")
    chart = plot_stack(curve, by="start of treatment")
    for group in ("early", "late"):
        edges = stacked(curve, group)
        day = max(edges)
        shares = [edges[day][0], edges[day][1] - edges[day][0], edges[day][2] - edges[day][1]]
        told = ", ".join(f"{cause} {percent_of(share)} %" for cause, share in zip(CAUSES, shares, strict=True))
        assert f"{group}: 45 people; after {day / 365.25:.1f} years {told}; together {percent_of(edges[day][2])} %." in chart.alt
    assert chart.subtitle == "By start of treatment"


def test_people_and_events_are_below_the_figure() -> None:
    outcome = outcome_of(90, ("early", "late"), CAUSES)
    chart = plot_stack(cumulative_incidence(outcome, by="group"), since="the first symptom")
    parts = []
    for name in ("early", "late"):
        mine = outcome.cause[(outcome.people["group"].cast(pl.String) == name).to_numpy()]
        parts.append(f"{name} (45 people): {', '.join(f'{cause} {int((mine == k).sum())}' for k, cause in enumerate(CAUSES, start=1))}")
    assert chart.caption.startswith(f"Events: {'; '.join(parts)}.")
    assert texts(chart).count("Years since the first symptom") == 2


def test_an_axis_that_ends_below_100_says_so() -> None:
    chart = plot_stack(cumulative_incidence(outcome_of(90, causes=CAUSES, share=0.1)))
    assert top_of(chart) < 100
    assert f"The axis ends at {top_of(chart):g} %." in chart.caption


EDGES = {
    "one person": cumulative_incidence(outcome_of(1, causes=CAUSES, share=1)),
    "no event": cumulative_incidence(outcome_of(30, causes=CAUSES, share=0)),
    "thirty days": cumulative_incidence(outcome_of(60, causes=CAUSES, last_day=30)),
    "forty years": cumulative_incidence(outcome_of(300, causes=CAUSES, last_day=14610)),
    "awkward": cumulative_incidence(outcome_of(90, (AWKWARD, LONG, "高効果治療群"), (AWKWARD, "RAW", "death")), by="group"),
    "eight causes": cumulative_incidence(outcome_of(300, causes=tuple(f"cause {n}" for n in range(8)))),
}


@pytest.mark.parametrize("name", EDGES)
def test_the_edges_are_sound(name: str) -> None:
    require_sound(plot_stack(EDGES[name], by=AWKWARD, since=LONG))


def test_where_nobody_was_followed_it_is_said() -> None:
    nobody = EDGES["no event"]
    chart = plot_stack(replace(nobody, table=nobody.table.clear(), quantiles=nobody.quantiles.clear()))
    require_sound(chart)
    assert "Nobody was followed." in texts(chart)
    assert "Nobody was followed" in chart.alt


def test_only_incidences_can_be_stacked() -> None:
    with pytest.raises(UsageError, match=r"this curve is of the kind 'survival'\. Use plot_curve"):
        plot_stack(kaplan_meier(outcome_of(20)))
