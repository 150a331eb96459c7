"""A whole cohort at a glance: one line a person, with the score as colour, relapses, events, and why the observation ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from smoulder.errors import UsageError, counted, one_of
from smoulder.events import Events
from smoulder.figures.axes import TimeAxis, time_axis
from smoulder.figures.chart import Chart
from smoulder.figures.curves import TIME_ZERO, time_title
from smoulder.figures.marks import Box, Group, Mark, Words, line, moved
from smoulder.figures.people import Person, measure_scores, people_in, scored_visits
from smoulder.figures.ramp import Ramp
from smoulder.figures.scales import Scale
from smoulder.figures.sheet import INNER, MARGIN, NOTE, WIDTH, Heading, centred_note, finished, sentences
from smoulder.figures.signs import END_SIGNS, SHAPES, event_mark, other_end, relapse_mark
from smoulder.figures.style import GREY, RULE, shortened, text_width
from smoulder.tables import Cohort
from smoulder.terms import Measure

Order = Literal["follow-up", "first event"]

NAMED = 40
"""Up to so many people have their ids beside their lines."""
HIGHEST_ROW, WANTED_ROW = 14.0, 4.4
ALL_ROWS, MOST_ROWS = 620.0, 800.0
"""Height of all rows; where they would be lower than `WANTED_ROW`, the figure grows up to the height of a page (270 mm with its words)."""
SMALLEST_SIGN = 3.4
"""In low rows signs reach into the rows beside them, so that they can be seen: 1.7 mm in print."""
NO_SCORE = "#8c8c8c"
LABEL_WORDS = {"undefined": "undefined worsening", "undetermined": "undetermined worsening"}
"""What the key calls a label that does not say by itself what happened."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One person's line: everything in days since time zero."""

    person: Person
    spans: tuple[tuple[float, float, float], ...]
    """From, to, score: a score holds until the next one, the last until its visit."""
    relapses: tuple[int, ...]
    events: tuple[tuple[int, str], ...]
    """Day of onset and label; the kind where there is no label."""


def plot_cohort(
    cohort: Cohort,
    events: Events | None,
    *,
    people: pl.DataFrame | None = None,
    measure: str = "edss",
    order: Order = "follow-up",
    most: int = 300,
    definition: str | None = None,
    title: str | None = None,
    since: str = TIME_ZERO,
    ids: bool = True,
) -> Chart:
    """Draw every person of a cohort as one line from time zero.

    Parameters
    ----------
    cohort
        Whose visits and relapses are shown.
    events
        What `detect` found in it; None: no events are marked.
    people
        One row a person: patient, zero_day, end_day, and end_reason where it is known (`Followed.people`). None: everybody, from the
        first visit to the last.
    measure
        Whose score is the colour; darker is worse.
    order
        "follow-up": the longest observed at the top; "first event": the earliest event at the top, people without one below.
    most
        Of more people an evenly spaced sample by rank is drawn, and the caption says so.
    definition
        Key of the definition whose events are marked; None: the only one of `events`.
    title
        Above the figure; None: "The cohort".
    since
        What time zero is, in words, such as "the first visit": it stands below the axis.
    ids
        Whether lines have the ids of people: beside them where there are few, else shown on pointing.

    Raises
    ------
    UsageError
        There is no such measure, order, definition or column.
    """
    if order not in ("follow-up", "first event"):
        raise UsageError(f"There is no order '{order}'; there are {one_of(('follow-up', 'first event'))}.")
    if most < 1:
        raise UsageError(f"At least one person must be drawn; most={most} was asked for.")
    scores = measure_scores(cohort, measure)
    everybody, notes = people_in(cohort, people)
    found = _events_of(events, definition)
    ranked = _ranked(everybody, found, order)
    shown = ranked if len(ranked) <= most else [ranked[(2 * n + 1) * len(ranked) // (2 * most)] for n in range(most)]
    what = cohort.measure(measure)
    lines = [_line(cohort, scores, what, person, found) for person in shown]
    heading = Heading(title=title or "The cohort", subtitle=_subtitle(everybody, shown, what))
    ramp = _ramp(what, lines)
    named = ids and len(lines) <= NAMED
    left = MARGIN + (max([40.0, *(min(text_width(one.person.patient, NOTE), 110.0) for one in lines)]) + 10 if named else 12)
    right, top = WIDTH - MARGIN - 16, heading.bottom + 14
    height = _row_height(len(lines))
    time = time_axis(max((one.person.days for one in lines), default=0))
    x = time.scale(left, right)
    bottom = top + height * len(lines)
    behind: list[Mark] = [line(x(t * time.days_a_unit), top - 3, x(t * time.days_a_unit), bottom + 3, stroke=RULE) for t in time.ticks]
    rows = [_row(one, x, top + height * n, height, ramp, named=named, left=left, ids=ids) for n, one in enumerate(lines)]
    middles = [top + height * (n + 0.5) for n in range(len(lines))]
    marks: list[Mark] = [*rows, *(_relapses(one, x, middle, height) for one, middle in zip(lines, middles, strict=True) if one.relapses)]
    marks += [_signs(one, x, middle, height) for one, middle in zip(lines, middles, strict=True)]
    if lines:
        marks += _time_marks(time, x, bottom, since)
        bottom += 42
    else:
        marks += centred_note("There is nobody to show.", WIDTH / 2, top + 24, INNER)
        bottom = top + 44
    key, bottom = _key(lines, ramp, what, bottom + 6)
    marks += key
    of = (
        f"Events are those of the definition {_key_of(events, definition)}"
        if events is not None and any(one.events for one in lines)
        else ""
    )
    caption = sentences(
        _order_text(order) if len(lines) > 1 else "",
        f"Of {len(ranked):,} people {len(shown):,} are drawn, evenly spaced by rank" if len(shown) < len(ranked) else "",
        f"The {what.name} is held until the next visit; dotted: no score is known" if lines else "",
        of,
        *notes,
    )
    return finished(heading, caption, _alt(heading, lines, len(everybody), what, caption), marks, bottom + 4, behind=behind)


# -- people and what happened to them -------------------------------------------------------


def _key_of(events: Events, definition: str | None) -> str:
    keys = [one.key for one in events.definitions]
    if definition is not None and definition not in keys:
        raise UsageError(f"The events are not those of '{definition}' but of {one_of(keys)}.")
    if definition is None and len(keys) > 1:
        raise UsageError(f"The events are those of {len(keys)} definitions; say which to mark: definition='{keys[0]}'.")
    return definition or keys[0]


def _events_of(events: Events | None, definition: str | None) -> dict[str, list[tuple[int, str]]]:
    """Return patient -> day and label of each event, each once: one event may be seen on several measures."""
    if events is None:
        return {}
    table = events.of(_key_of(events, definition)).select("patient", "onset_day", "kind", "label")
    found: dict[str, list[tuple[int, str]]] = {}
    for patient, day, kind, label in table.iter_rows():
        name = label if kind == "worsening" and label else kind
        found.setdefault(patient, []).append((day, name))
    return {patient: sorted(set(days)) for patient, days in found.items()}


def _ranked(everybody: Sequence[Person], found: dict[str, list[tuple[int, str]]], order: Order) -> list[Person]:
    if order == "follow-up":
        return sorted(everybody, key=lambda one: (-one.days, one.patient))

    def first(one: Person) -> float:
        days = [day - one.zero_day for day, _ in found.get(one.patient, []) if one.zero_day <= day <= one.end_day]
        return min(days, default=np.inf)

    return sorted(everybody, key=lambda one: (first(one), -one.days, one.patient))


def _line(cohort: Cohort, scores: np.ndarray, what: Measure, person: Person, found: dict[str, list[tuple[int, str]]]) -> Line:
    days, units = scored_visits(cohort, scores, person)
    spans: list[tuple[float, float, float]] = []
    for n, (day, score) in enumerate(zip(days.tolist(), units.tolist(), strict=True)):
        until = int(days[n + 1]) if n + 1 < len(days) else day
        if until < 0 or (until == 0 and n + 1 < len(days)):
            continue
        points = what.points(score)
        if spans and spans[-1][2] == points:
            spans[-1] = (spans[-1][0], until, points)
        else:
            spans.append((max(day, 0), until, points))
    attacks = [] if person.index is None else cohort.relapse_days_of(person.index).tolist()

    def inside(day: int) -> bool:
        return person.zero_day <= day <= person.end_day

    return Line(
        person=person,
        spans=tuple(spans),
        relapses=tuple(day - person.zero_day for day in attacks if inside(day)),
        events=tuple((day - person.zero_day, label) for day, label in found.get(person.patient, []) if inside(day)),
    )


def _is_whole(what: Measure) -> bool:
    """Return whether the colours run over the whole scale of a measure: one of half points, the EDSS."""
    return what.high is not None and what.grid == 0.5


def _ramp(what: Measure, lines: Sequence[Line]) -> Ramp:
    """Return the colours: over the whole scale of the EDSS, of other measures from the 5th to the 95th percentile of the scores.

    Figures of the EDSS can be compared so; of a long scale most people use a small part.
    """
    if _is_whole(what):
        low, high = what.low, what.high or what.low + 1
    else:
        values = np.array([points for one in lines for _, _, points in one.spans], dtype=np.float64)
        low, high = (float(f"{np.percentile(values, q):.2g}") for q in (5, 95)) if len(values) else (what.low, what.low + 1)
    return Ramp(low, high) if what.higher_is_worse else Ramp(high, low)


# -- drawing --------------------------------------------------------------------------------


def _row(one: Line, x: Scale, top: float, height: float, ramp: Ramp, *, named: bool, left: float, ids: bool) -> Group:
    """Return a person's line and colours; the id beside it where there is room."""
    middle, thick = top + height / 2, height if height < 5 else 0.82 * height
    marks: list[Mark] = [line(x(0), middle, max(x(one.person.days), x(0) + 1), middle, stroke=NO_SCORE, width=min(thick, 1), dash="1 2")]
    for start, end, points in one.spans:
        width = max(x(end) - x(start), 1.5)
        marks.append(Box(x=x(start), y=middle - thick / 2, width=width, height=thick, fill=ramp.colour(points)))
    if named:
        name = _both_ends(one.person.patient, 110)
        marks.append(Words(text=name, x=left - 6, y=middle + 4, size=NOTE, anchor="end"))
    return Group(role="person", tip=one.person.patient if ids else "", marks=tuple(marks))


def _both_ends(name: str, width: float) -> str:
    """Return a name that fits, with its beginning and its end: long ids often differ at the end only."""
    for kept in range(len(name) // 2, 0, -1):
        short = f"{name[:kept]}…{name[-kept:]}"
        if text_width(name, NOTE) <= width or text_width(short, NOTE) <= width:
            return name if text_width(name, NOTE) <= width else short
    return shortened(name, width, NOTE)


def _row_height(n: int) -> float:
    height = ALL_ROWS / max(n, 1)
    return min(height, HIGHEST_ROW) if height >= WANTED_ROW else min(WANTED_ROW, MOST_ROWS / n)


def _relapses(one: Line, x: Scale, middle: float, height: float) -> Group:
    """Return the relapses of one person's line; they lie below every event."""
    tall = max(height - 1, 2 * SMALLEST_SIGN)
    return Group(role="relapses", marks=tuple(mark for day in one.relapses for mark in relapse_mark(x(day), middle, tall)))


def _signs(one: Line, x: Scale, middle: float, height: float) -> Group:
    """Return the events and the end of one person's line."""
    size = min(max(0.42 * height, SMALLEST_SIGN), 5.0)
    marks: list[Mark] = [event_mark(label, x(day), middle, size) for day, label in one.events]
    # Ends stand below each other where many people end on one day: as small as the row.
    end = min(max(0.42 * height, 1.4), 4.0)
    marks.append(END_SIGNS.get(one.person.end_reason, other_end)(x(one.person.days) + end + 2.5, middle, end))
    return Group(role="signs", marks=tuple(marks))


def _time_marks(time: TimeAxis, x: Scale, bottom: float, since: str) -> list[Mark]:
    marks: list[Mark] = [line(x.first, bottom + 3, x.last, bottom + 3, stroke=GREY)]
    for tick in time.ticks:
        at = x(tick * time.days_a_unit)
        marks.append(line(at, bottom + 3, at, bottom + 7, stroke=GREY))
        marks.append(Words(text=f"{tick:g}", x=at, y=bottom + 19, size=NOTE, anchor="middle"))
    return [*marks, *time_title(time, (x.first + x.last) / 2, bottom + 36, since=since)]


# -- key and words --------------------------------------------------------------------------


def _key(lines: Sequence[Line], ramp: Ramp, what: Measure, top: float) -> tuple[list[Mark], float]:
    """Return the scale of colours, and a sign for everything that is drawn; and where it ends."""
    if not lines:
        return [], top
    marks, y = _ramp_key(ramp, what, top)
    labels = Counter(label for one in lines for _, label in one.events)
    reasons = Counter(one.person.end_reason for one in lines)
    happened: list[tuple[str, tuple[Mark, ...]]] = []
    if any(one.relapses for one in lines):
        happened.append(("relapse", tuple(relapse_mark(10, 7, 12))))
    happened += [
        (LABEL_WORDS.get(label, label), (event_mark(label, 10, 7, 5),))
        for label in (*SHAPES, *sorted(set(labels) - set(SHAPES)))
        if labels[label]
    ]
    ended = [(reason, (END_SIGNS[reason](10, 7, 4),)) for reason in END_SIGNS if reasons[reason]]
    others = sorted(set(reasons) - set(END_SIGNS))
    if others:
        ended.append((", ".join(others), (other_end(10, 7, 4),)))
    for lead, entries in (("", happened), ("Observed until:", ended)):
        x = MARGIN
        if lead:
            marks.append(Words(text=lead, x=x, y=y + 11, size=NOTE))
            x += text_width(lead, NOTE) + 6
        for text, sign in entries:
            words = shortened(text, INNER - 26, NOTE)
            width = 26 + text_width(words, NOTE) + 8
            if x > MARGIN and x + width > WIDTH - MARGIN:
                x, y = MARGIN, y + 18
            placed = tuple(moved(mark, x, y) for mark in sign)
            marks.append(Group(role="key", tip=text, marks=(*placed, Words(text=words, x=x + 24, y=y + 11, size=NOTE))))
            x += width
        y += 18 if entries else 0
    return marks, y + 2


def _ramp_key(ramp: Ramp, what: Measure, top: float) -> tuple[list[Mark], float]:
    steps, wide = 20, 11.0
    name = shortened(f"{what.name} (darker is worse)", 200, NOTE)
    left = MARGIN + text_width(name, NOTE) + 40
    marks: list[Mark] = [Words(text=name, x=MARGIN, y=top + 11, size=NOTE)]
    for n in range(steps + 1):
        points = ramp.best + n / steps * (ramp.worst - ramp.best)
        marks.append(Box(x=left + n * wide, y=top + 1, width=wide + 0.3, height=12, fill=ramp.colour(points)))
    marks.append(Box(x=left, y=top + 1, width=(steps + 1) * wide, height=12, stroke=GREY))
    right = left + (steps + 1) * wide
    ends = [f"{ramp.best:g}", f"{ramp.worst:g}"]
    if not _is_whole(what):
        ends = [f"{sign} {end}" for sign, end in zip("≤≥" if what.higher_is_worse else "≥≤", ends, strict=True)]
    marks.append(Words(text=ends[0], x=left - 6, y=top + 11, size=NOTE, anchor="end"))
    marks.append(Words(text=ends[1], x=right + 6, y=top + 11, size=NOTE))
    fifth = (ramp.worst - ramp.best) / 5
    inner = (1, 2, 3, 4) if fifth == int(fifth) else (2.5,)
    for n in inner:
        # The first and the last box are the colours of the ends, so the scale runs from the middle of one to the middle of the other.
        at = left + wide / 2 + n / 5 * (right - left - wide)
        marks.append(line(at, top + 13, at, top + 16, stroke=GREY))
        marks.append(Words(text=f"{ramp.best + n * fifth:.3g}", x=at, y=top + 27, size=NOTE, anchor="middle"))
    return [Group(role="scale", marks=tuple(marks))], top + 34


def _order_text(order: Order) -> str:
    return {
        "follow-up": "One line a person; the longest observed at the top",
        "first event": "One line a person; the earliest event at the top, people without an event below",
    }[order]


def _subtitle(everybody: Sequence[Person], shown: Sequence[Person], what: Measure) -> str:
    if not everybody:
        return ""
    sample = f", {len(shown):,} of them drawn" if len(shown) < len(everybody) else ""
    return f"{what.name} of {counted(len(everybody), 'person', 'people')}{sample}"


def _alt(heading: Heading, lines: Sequence[Line], n_people: int, what: Measure, caption: str) -> str:
    if not lines:
        return sentences(heading.title, "There is nobody to show", caption)
    days = np.array([one.person.days for one in lines])
    longest = time_axis(int(days.max()))
    labels = Counter(label for one in lines for _, label in one.events)
    reasons = Counter(one.person.end_reason for one in lines)
    points = [value for one in lines for _, _, value in one.spans]
    n_relapses = sum(len(one.relapses) for one in lines)
    times = [longest.text(float(value)) for value in (days.min(), days.max(), np.median(days))]
    span = f"{what.name} from {min(points):g} to {max(points):g}" if points else f"No {what.name} is known"
    return sentences(
        f"{heading.title}: one line a person, {heading.subtitle}",
        f"Observed for {times[0]} to {times[1]}, median {times[2]}",
        span,
        f"Of those drawn: {counted(n_relapses, 'relapse')}" if len(lines) < n_people else counted(n_relapses, "relapse"),
        f"Events: {', '.join(f'{label} {n:,}' for label, n in sorted(labels.items()))}" if labels else "No events",
        f"Ends: {', '.join(f'{reason} {n:,}' for reason, n in sorted(reasons.items()))}",
        caption,
    )
