"""Events: a bracket from onset to confirmation with a coloured tag, in rows above the plot, and markers on the scores."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smoulder.events import ExplainedEvent, ExplainedMeasure
from smoulder.figures.marks import Box, Group, Mark, Words, line, square, triangle
from smoulder.figures.scales import Scale
from smoulder.figures.sentences import event_name, mri_words, tag_name
from smoulder.figures.strips import lanes
from smoulder.figures.style import BODY, INK, LOOKS, PAPER, SMALL, Look, shortened, text_width
from smoulder.terms import Calendar, day_text

TAG_LANE = 21
TAG_HEIGHT = 15
GAP = 6


@dataclass(frozen=True, kw_only=True)
class Label:
    """One piece of text beside a bracket, and whether it ends or starts at its place."""

    text: str
    x: float
    anchor: str = "start"

    @property
    def extent(self) -> tuple[float, float]:
        """Where the text begins and ends."""
        width = text_width(self.text, SMALL)
        return (self.x, self.x + width) if self.anchor == "start" else (self.x - width, self.x)


@dataclass(frozen=True, kw_only=True)
class PlacedEvent:
    """An event with its row (0 is nearest the plot) and the places of its tag and words."""

    event: ExplainedEvent
    tag_x: float
    tag_width: float
    labels: tuple[Label, ...]
    lane: int = 0

    def extent(self, x: Scale) -> tuple[float, float]:
        """Return where the whole begins and ends."""
        starts = [self.tag_x, x(self.event.onset_day) - 3, *(label.extent[0] for label in self.labels)]
        ends = [self.tag_x + self.tag_width, x(last_day(self.event)) + 5, *(label.extent[1] for label in self.labels)]
        return min(starts), max(ends)


def place_events(judged: ExplainedMeasure, x: Scale, composite: ExplainedEvent | None) -> tuple[PlacedEvent, ...]:
    """Return the events with places that do not touch: tag left of the bracket, or after it where there is no room."""
    drafts = [_draft(event, x, is_first=event is composite) for event in judged.events]
    rows = lanes([draft.extent(x) for draft in drafts], gap=10)
    return tuple(replace(draft, lane=row) for draft, row in zip(drafts, rows, strict=True))


def _draft(event: ExplainedEvent, x: Scale, *, is_first: bool) -> PlacedEvent:
    width = text_width(tag_name(event), BODY, bold=True) + 10
    names = window_names(event)
    own = [f"from the {event.compared_with}"] if event.compared_with != "reference" else []
    more = [*own, *([mri_words(event)] if event.mri is not None else []), *(["first on any measure"] if is_first else [])]
    names[-1] = (names[-1][0], " · ".join([names[-1][1], *more]))
    left, right = x(event.onset_day), x(last_day(event))
    tag_x = left - GAP - width
    beside = _beside_squares(names, x)
    if tag_x >= x.first - 60 and beside and beside[-1].extent[1] <= x.last:
        return PlacedEvent(event=event, tag_x=tag_x, tag_width=width, labels=beside)
    text = shortened(", ".join(name for _, name in names), 0.45 * (x.last - x.first), SMALL)
    words = text_width(text, SMALL)
    if tag_x >= x.first - 60 and right + GAP + words <= x.last:
        return PlacedEvent(event=event, tag_x=tag_x, tag_width=width, labels=(Label(text=text, x=right + GAP),))
    if tag_x - GAP - words >= x.first:
        return PlacedEvent(event=event, tag_x=tag_x, tag_width=width, labels=(Label(text=text, x=tag_x - GAP, anchor="end"),))
    # No room on the left: the tag follows the bracket, as far right as there is room for the words behind it.
    tag_x = min(right + GAP + 2, x.last - words - GAP - width)
    return PlacedEvent(event=event, tag_x=tag_x, tag_width=width, labels=(Label(text=text, x=tag_x + width + GAP),))


def _beside_squares(names: list[tuple[int, str]], x: Scale) -> tuple[Label, ...]:
    """Return a name right of each square; none where two squares are too close for that."""
    labels = tuple(Label(text=name, x=x(day) + GAP) for day, name in names)
    close = any(label.extent[1] + 7 > x(day) for label, (day, _) in zip(labels, names[1:], strict=False))
    return () if close else labels


def confirming_days(event: ExplainedEvent) -> list[int]:
    """Return the confirming days of an event, each once, ascending."""
    days = {day for _, day in event.windows if day is not None}
    return sorted(days | {day for day in (event.confirmation_day, event.pira_confirmation_day) if day is not None})


def last_day(event: ExplainedEvent) -> int:
    """Return the last confirming day of an event; its onset where there is none."""
    return max([event.onset_day, *confirming_days(event)])


def window_names(event: ExplainedEvent) -> list[tuple[int, str]]:
    """Return each confirming day with the windows it meets, and which of them made it PIRA where that came later."""
    late = event.pira_confirmation_day if event.pira_confirmation_day != event.confirmation_day else None
    found: list[tuple[int, str]] = []
    for day in confirming_days(event):
        name = ", ".join(name for name, met in event.windows if met == day) or "confirmed"
        found.append((day, f"{name} as PIRA" if day == late else name))
    return found or [(event.onset_day, "not confirmed, counted" if event.windows else "not confirmed (none asked for)")]


# -- drawing --------------------------------------------------------------------------------


def _look(event: ExplainedEvent) -> Look:
    return LOOKS.get(event_name(event), LOOKS["worsening"])


def _middle(placed: PlacedEvent, plot_top: float) -> float:
    return plot_top - 5 - TAG_HEIGHT / 2 - placed.lane * TAG_LANE


def leaders(placed: PlacedEvent, judged: ExplainedMeasure, x: Scale, y: Scale, plot_top: float) -> list[Mark]:
    """Return the thin lines from the bracket down to the scores; they lie behind every tag."""
    event, colour, top = placed.event, _look(placed.event).colour, _middle(placed, plot_top)
    marks: list[Mark] = []
    for day in confirming_days(event):
        marks.append(line(x(day), top, x(day), y(_score_on(judged, day, event)), stroke=colour, width=0.8, dash="3 2"))
    onset = x(event.onset_day)
    return [*marks, line(onset, top, onset, y(judged.measure.points(event.onset)), stroke=colour, width=0.9)]


def event_marks(placed: PlacedEvent, judged: ExplainedMeasure, calendar: Calendar, x: Scale, y: Scale, plot_top: float) -> Group:
    """Return one event: markers on the scores, bracket, tag and words."""
    event, colour, middle = placed.event, _look(placed.event).colour, _middle(placed, plot_top)
    onset, days = x(event.onset_day), confirming_days(event)
    up = judged.measure.higher_is_worse == (event.kind == "worsening")
    marks: list[Mark] = [square(x(day), y(_score_on(judged, day, event)), 4.2, colour) for day in days]
    marks.append(triangle(onset, y(judged.measure.points(event.onset)), 7, colour, up=up))
    if days:
        marks.append(line(onset, middle, x(days[-1]), middle, stroke=colour, width=2.2))
    marks.append(line(onset, middle - 5, onset, middle + 5, stroke=colour, width=2.2))
    for label in placed.labels:
        start, end = label.extent
        marks.append(Box(x=start - 2, y=middle - 6, width=end - start + 4, height=12, fill=PAPER))
        marks.append(Words(text=label.text, x=label.x, y=middle + 3.5, size=SMALL, fill=INK, anchor=label.anchor))
    marks += [square(x(day), middle, 3.8, colour) for day in days]
    marks.append(_tag(placed, middle))
    change = f"{judged.measure.text(event.reference)} to {judged.measure.text(event.onset)}"
    names = "; ".join(f"{name} {day_text(day, calendar)}" for day, name in window_names(event))
    more = [f"from the {event.compared_with}"] if event.compared_with != "reference" else []
    more += [mri_words(event)] if event.mri is not None else []
    tip = "; ".join([f"{event_name(event)}, {change}, onset {day_text(event.onset_day, calendar)}", names, *more])
    return Group(role="event", tip=tip, marks=tuple(marks))


def _tag(placed: PlacedEvent, middle: float) -> Group:
    look = _look(placed.event)
    top = middle - TAG_HEIGHT / 2
    box = Box(
        x=placed.tag_x,
        y=top,
        width=placed.tag_width,
        height=TAG_HEIGHT,
        fill=look.fill,
        stroke=look.colour,
        dash=look.dash,
        radius=3,
    )
    at = placed.tag_x + placed.tag_width / 2
    name = Words(text=tag_name(placed.event), x=at, y=middle + 4, fill=look.text, anchor="middle", bold=True)
    return Group(role="tag", marks=(box, name))


def _score_on(judged: ExplainedMeasure, day: int, event: ExplainedEvent) -> float:
    scores = dict(zip(judged.days, judged.scores, strict=True))
    return judged.measure.points(scores.get(day, event.onset))
