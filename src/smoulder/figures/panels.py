"""One panel a measure: scores, the reference in force, shaded windows, and the events with their tags."""

from __future__ import annotations

from dataclasses import dataclass

from smoulder.events import ExplainedMeasure, Explanation
from smoulder.figures.marks import Box, Dot, Group, Mark, Path, Words, bracketed, line, stairs
from smoulder.figures.scales import Scale, score_axis, worsening_scores
from smoulder.figures.sentences import composite_event, unconfirmed
from smoulder.figures.sought import foot_height, sign_marks
from smoulder.figures.style import (
    BODY,
    FREE_EDGE,
    GREY,
    HEADING,
    INK,
    NEEDED_COLOUR,
    PAPER,
    REFERENCE_COLOUR,
    RELAPSE_FREE_FILL,
    RULE,
    VERMILION,
    shortened,
    text_width,
)
from smoulder.figures.tags import TAG_LANE, PlacedEvent, event_marks, leaders, place_events
from smoulder.terms import Measure, day_text

RAIL = 9.0
"""Between the two thin lines that show an event's own reference: a score line of the same height lies between them."""
HEIGHTS = {1: 230, 2: 165, 3: 130}
LOWEST, EMPTY = 112, 44


@dataclass(frozen=True)
class Panel:
    """A panel that has its place: what it shows, and where it begins and ends."""

    judged: ExplainedMeasure
    placed: tuple[PlacedEvent, ...]
    top: float
    plot_top: float
    plot_bottom: float
    foot: float
    """Height at the bottom of the plot that is kept for visits sought at a set time."""


def place_panels(explanation: Explanation, x: Scale, top: float) -> list[Panel]:
    """Return the panels one below the other; each has a heading, rows for its tags, and its plot."""
    seen = sum(1 for judged in explanation.measures if judged.days)
    height = HEIGHTS.get(seen, LOWEST)
    first = composite_event(explanation)
    panels: list[Panel] = []
    for judged in explanation.measures:
        placed = place_events(judged, x, first)
        rows = max((event.lane for event in placed), default=-1) + 1
        plot_top = top + 20 + rows * TAG_LANE + 4
        foot = foot_height(judged, x)
        bottom = plot_top + foot + (height if judged.days else EMPTY)
        panels.append(Panel(judged, placed, top, plot_top, bottom, foot))
        top = bottom + 14
    return panels


def panel_marks(explanation: Explanation, panel: Panel, x: Scale, day_values: list[float], relapses: list[Mark]) -> list[Mark]:
    """Return everything in a panel, from the back to the front."""
    judged = panel.judged
    marks: list[Mark] = [*_heading(explanation, panel, x)]
    if not judged.days:
        marks.append(_frame(panel, x))
        middle = (panel.plot_top + panel.plot_bottom) / 2 + 4
        text = "no visit with this measure" if explanation.follow_up is not None else "no visit"
        marks.append(Words(text=text, x=(x.first + x.last) / 2, y=middle, size=BODY, fill=GREY, anchor="middle", italic=True))
        return [*marks, *relapses] if explanation.follow_up is not None else marks
    needed = worsening_scores(judged, explanation.definition)
    score_bottom = panel.plot_bottom - panel.foot
    axis = score_axis(judged, [score for _, score in needed], most=int((score_bottom - panel.plot_top) // 22))
    y = Scale(axis.low, axis.high, score_bottom, panel.plot_top)
    marks += _windows(explanation, panel, x)
    marks += [line(x(day), panel.plot_top, x(day), panel.plot_bottom, stroke=RULE, width=0.75) for day in day_values]
    for tick in axis.ticks:
        marks.append(line(x.first, y(tick.value), x.last, y(tick.value), stroke=RULE, width=0.75))
        marks.append(line(x.first - 4, y(tick.value), x.first, y(tick.value), stroke=GREY, width=0.75))
        marks.append(Words(text=tick.label, x=x.first - 8, y=y(tick.value) + 4, size=BODY, anchor="end"))
    marks += [line(x.first - 2.5, y(value), x.first, y(value), stroke=GREY, width=0.75) for value in axis.minor]
    marks.append(_frame(panel, x))
    marks += relapses
    if panel.foot:
        marks.append(Box(x=x.first, y=score_bottom, width=x.last - x.first, height=panel.foot, fill=PAPER, stroke="#8c8c8c"))
        marks += sign_marks(judged, explanation.calendar, x, score_bottom)
    marks += _reference(judged, needed, x, y)
    marks += _own_references(explanation, judged, x, y)
    marks += _scores(explanation, judged, x, y)
    for placed in panel.placed:
        marks += leaders(placed, judged, x, y, panel.plot_top)
    return [*marks, *(event_marks(placed, judged, explanation.calendar, x, y, panel.plot_top) for placed in panel.placed)]


def _heading(explanation: Explanation, panel: Panel, x: Scale) -> list[Mark]:
    measure, y = panel.judged.measure, panel.top + 11
    name = shortened(axis_title(measure), 0.6 * (x.last - x.first), HEADING, bold=True)
    marks: list[Mark] = [Words(text=name, x=x.first, y=y, size=HEADING, bold=True)]
    beside = [] if measure.higher_is_worse else ["lower is worse"]
    if not panel.judged.events and panel.judged.days:
        beside.append("no event")
    if beside:
        at = x.first + text_width(name, HEADING, bold=True) + 10
        marks.append(Words(text=" · ".join(beside), x=at, y=y, size=BODY, fill=GREY, italic=True))
    return marks


def axis_title(measure: Measure) -> str:
    """Return a measure with its unit."""
    return f"{measure.name} ({measure.unit})" if measure.unit else measure.name


def _frame(panel: Panel, x: Scale) -> Mark:
    height = panel.plot_bottom - panel.plot_top
    return Box(x=x.first, y=panel.plot_top, width=x.last - x.first, height=height, stroke="#8c8c8c")


# -- windows --------------------------------------------------------------------------------


def shown_windows(explanation: Explanation, judged: ExplainedMeasure) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the relapse-free intervals and the RAW windows that took part in a label, each list without doubles.

    Where RAW is tested first and was met, the relapse-free intervals had no say and are left out.
    """
    rule = explanation.definition.relapses
    free: list[tuple[int, int]] = []
    raw: list[tuple[int, int]] = []
    for event in judged.events:
        met = any(first <= day <= last for first, last in event.raw_windows for day in explanation.relapse_days)
        if not (met and rule is not None and rule.exclusive):
            free += event.relapse_free
        raw += event.raw_windows
    return sorted(set(free)), sorted(set(raw))


def _windows(explanation: Explanation, panel: Panel, x: Scale) -> list[Mark]:
    free, raw = shown_windows(explanation, panel.judged)
    top, height = panel.plot_top, panel.plot_bottom - panel.plot_top
    fills: list[Mark] = []
    edges: list[Mark] = []
    for spans, role, fill, edge, words in (
        (free, "relapse-free", RELAPSE_FREE_FILL, FREE_EDGE, "has to be free of relapses for PIRA"),
        (raw, "raw-window", "@hatch", VERMILION, "a relapse here makes it RAW"),
    ):
        for first, last in spans:
            if last < x.low or first > x.high:
                continue
            box = Box(x=x(first), y=top, width=max(x(last) - x(first), 1.5), height=height, fill=fill)
            tip = f"{day_text(first, explanation.calendar)} to {day_text(last, explanation.calendar)}: {words}"
            fills.append(Group(role=role, tip=tip, marks=(box,)))
            edges += [line(x(day), top, x(day), top + height, stroke=edge, width=0.6) for day in (first, last) if x.holds(day)]
    return fills + edges


# -- lines ----------------------------------------------------------------------------------


def _reference(judged: ExplainedMeasure, needed: list[tuple[int, int | None]], x: Scale, y: Scale) -> list[Mark]:
    """Return the reference in force as a broken step line, and the score that counts as worsening as a dotted one."""
    if not judged.references:
        return []
    points = judged.measure.points
    end = x(max(judged.days[-1], judged.references[-1][0]))
    marks: list[Mark] = []
    starts = [x(day) for day, _ in needed]
    for number, (_, score) in enumerate(needed):
        until = starts[number + 1] if number + 1 < len(starts) else end
        if score is not None and until > starts[number]:
            height = y(points(score))
            marks.append(line(starts[number], height, until, height, stroke=NEEDED_COLOUR, width=1, dash="1 3"))
    held = stairs([(x(day), y(points(score))) for day, score in judged.references], end)
    path = Path(points=held, stroke=REFERENCE_COLOUR, width=3.5, dash="7 3.5")
    values = ", ".join(judged.measure.text(score) for _, score in judged.references)
    return [*marks, Group(role="reference", tip=f"reference in force: {values}", marks=(path,))]


def _own_references(explanation: Explanation, judged: ExplainedMeasure, x: Scale, y: Scale) -> list[Mark]:
    """Return, for each event that was not compared with the reference in force, two thin lines along its own one up to onset."""
    marks: list[Mark] = []
    for event in judged.events:
        if event.compared_with == "reference":
            continue
        start, onset, height = x(event.baseline_day), x(event.onset_day), y(judged.measure.points(event.reference))
        box = Box(x=start, y=height - RAIL / 2, width=max(onset - start, 1.5), height=RAIL, stroke=INK)
        of = day_text(event.baseline_day, explanation.calendar)
        tip = f"{event.compared_with} of {of}: {judged.measure.text(event.reference)}"
        marks.append(Group(role="own-reference", tip=tip, marks=(box,)))
    return marks


def _scores(explanation: Explanation, judged: ExplainedMeasure, x: Scale, y: Scale) -> list[Mark]:
    places = [(x(day), y(judged.measure.points(score))) for day, score in zip(judged.days, judged.scores, strict=True)]
    radius = 3.2 if len(places) <= 30 else 2.4
    marks: list[Mark] = [Path(points=stairs(places), stroke=INK, width=1.4)] if len(places) > 1 else []
    hollow = unconfirmed(judged)
    forgiven = {day for event in judged.events for day in event.forgiven_days}
    for day, score, (at, height) in zip(judged.days, judged.scores, places, strict=True):
        tip = f"{day_text(day, explanation.calendar)}: {judged.measure.text(score)}"
        if day in hollow:
            dots = (Dot(x=at, y=height, radius=radius + 2.4, fill=PAPER, stroke=INK, width=1.4),)
            marks.append(Group(role="unconfirmed", tip=f"{tip}, {hollow[day]}", marks=dots))
        else:
            marks.append(Group(role="visit", tip=tip, marks=(Dot(x=at, y=height, radius=radius),)))
        if day in forgiven:
            tip = f"{tip}, forgiven: it holds again at the next visit"
            marks.append(Group(role="forgiven", tip=tip, marks=bracketed(at, height, radius + 5)))
    return marks
