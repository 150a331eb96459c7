"""Events: a bracket from onset to confirmation with a coloured tag, in rows above the plot, and markers on the scores."""

from __future__ import annotations

from dataclasses import dataclass

from smoulder.events import ExplainedEvent, ExplainedMeasure
from smoulder.figures.marks import Box, Group, Mark, Words, line, square, triangle
from smoulder.figures.scales import Scale
from smoulder.figures.sentences import event_name
from smoulder.figures.strips import lanes
from smoulder.figures.style import BODY, INK, LOOKS, SMALL, text_width
from smoulder.terms import Calendar, day_text

TAG_LANE = 21
TAG_HEIGHT = 15
GAP = 6


@dataclass(frozen=True)
class PlacedEvent:
    """An event with its row and the places of its tag and words."""

    event: ExplainedEvent
    lane: int
    tag_x: float
    tag_width: float
    words: str
    words_x: float


def place_events(judged: ExplainedMeasure, calendar: Calendar, x: Scale, composite: ExplainedEvent | None) -> tuple[PlacedEvent, ...]:
    """Return the events with places that do not touch: tag left of the bracket, or after it where there is no room."""
    drafts = [_draft(event, x, is_first=event is composite) for event in judged.events]
    rows = lanes([_extent(draft, x) for draft in drafts], gap=10)
    return tuple(
        PlacedEvent(draft.event, row, draft.tag_x, draft.tag_width, draft.words, draft.words_x)
        for draft, row in zip(drafts, rows, strict=True)
    )


def _draft(event: ExplainedEvent, x: Scale, *, is_first: bool) -> PlacedEvent:
    width = text_width(event_name(event), BODY, bold=True) + 12
    words = confirmation_words(event) + (" · first on any measure" if is_first else "")
    words_width = text_width(words, SMALL)
    left, right = x(event.onset_day), x(last_day(event))
    fits_left = left - GAP - width >= x.first - 60
    fits_right = right + GAP + words_width <= x.last
    if fits_left and fits_right:
        return PlacedEvent(event, 0, left - GAP - width, width, words, right + GAP)
    if fits_left and left - 2 * GAP - width - words_width >= x.first:
        return PlacedEvent(event, 0, left - GAP - width, width, words, left - 2 * GAP - width - words_width)
    if right + 2 * GAP + width + words_width <= x.last:
        return PlacedEvent(event, 0, right + GAP, width, words, right + 2 * GAP + width)
    return PlacedEvent(event, 0, x.last - width - GAP - words_width, width, words, x.last - words_width)


def _extent(draft: PlacedEvent, x: Scale) -> tuple[float, float]:
    starts = (draft.tag_x, draft.words_x, x(draft.event.onset_day))
    ends = (draft.tag_x + draft.tag_width, draft.words_x + text_width(draft.words, SMALL), x(last_day(draft.event)))
    return min(starts), max(ends)


def last_day(event: ExplainedEvent) -> int:
    """Return the last confirming day of an event; its onset where there is none."""
    days = [day for _, day in event.windows if day is not None]
    return max([event.onset_day, *days, event.confirmation_day or event.onset_day, event.pira_confirmation_day or event.onset_day])


def confirmation_words(event: ExplainedEvent) -> str:
    """Return which windows confirmed an event, and which of them as PIRA where that came later."""
    late = event.pira_confirmation_day if event.pira_confirmation_day != event.confirmation_day else None
    names = [f"{name} as PIRA" if day == late else name for name, day in event.windows if day is not None]
    if not names:
        return "not confirmed, counted"
    if late is not None and all(day != late for _, day in event.windows):
        names.append("later as PIRA")
    return f"confirmed {', '.join(names)}"


def event_marks(placed: PlacedEvent, judged: ExplainedMeasure, calendar: Calendar, x: Scale, y: Scale, top: float) -> Group:
    """Return one event: tag, bracket, words, and its markers on the scores with a thin line from one to the other."""
    event, look = placed.event, LOOKS.get(event_name(placed.event), LOOKS["worsening"])
    middle = top + placed.lane * TAG_LANE + TAG_HEIGHT / 2
    onset, end = x(event.onset_day), x(last_day(event))
    days = confirming_days(event)
    marks: list[Mark] = [line(onset, middle - 5, onset, y(judged.measure.points(event.onset)), stroke=look.colour, width=0.8)]
    marks += [line(x(day), middle - 4, x(day), y(_score_on(judged, day, event)), stroke=look.colour, width=0.8, dash="3 2") for day in days]
    if end > onset:
        marks.append(line(onset, middle, end, middle, stroke=look.colour, width=2.2))
    marks += [square(x(day), y(_score_on(judged, day, event)), 4.2, look.colour) for day in days]
    up = judged.measure.higher_is_worse == (event.kind == "worsening")
    marks.append(triangle(onset, y(judged.measure.points(event.onset)), 7, look.colour, up=up))
    marks += _bracket(onset, [x(day) for day in days], middle, look.colour)
    tag = Box(
        x=placed.tag_x,
        y=middle - TAG_HEIGHT / 2,
        width=placed.tag_width,
        height=TAG_HEIGHT,
        fill=look.fill,
        stroke=look.colour,
        dash=look.dash,
        radius=3,
    )
    name = Words(
        text=event_name(event), x=placed.tag_x + placed.tag_width / 2, y=middle + 4, size=BODY, fill=look.text, anchor="middle", bold=True
    )
    marks.append(Group(role="tag", marks=(tag, name)))
    marks.append(Words(text=placed.words, x=placed.words_x, y=middle + 3.5, size=SMALL, fill=INK))
    tip = f"{event_name(event)}, onset {day_text(event.onset_day, calendar)}, {placed.words}"
    return Group(role="event", tip=tip, marks=tuple(marks))


def _bracket(onset: float, ends: list[float], middle: float, colour: str) -> list[Mark]:
    """Return the small marks of a bracket: a triangle at onset, a square at each confirming visit."""
    marks: list[Mark] = [line(onset, middle - 5, onset, middle + 5, stroke=colour, width=2.2)]
    marks += [square(end, middle, 3.6, colour) for end in ends]
    return marks


def confirming_days(event: ExplainedEvent) -> list[int]:
    """Return the confirming days of an event, each once, ascending."""
    days = {day for _, day in event.windows if day is not None}
    return sorted(days | {day for day in (event.confirmation_day, event.pira_confirmation_day) if day is not None})


def _score_on(judged: ExplainedMeasure, day: int, event: ExplainedEvent) -> float:
    scores = dict(zip(judged.days, judged.scores, strict=True))
    return judged.measure.points(scores.get(day, event.onset))
