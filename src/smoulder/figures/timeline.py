"""One patient's timeline: scores, the reference in force, relapses, treatments, and every event with its windows."""

from __future__ import annotations

import hashlib

from smoulder.events import Explanation
from smoulder.figures.figure import Figure
from smoulder.figures.legend import legend
from smoulder.figures.marks import Mark, Words, line
from smoulder.figures.panels import panel_marks, place_panels
from smoulder.figures.scales import Scale, Tick, day_range, day_ticks
from smoulder.figures.scans import scan_strip
from smoulder.figures.sentences import description, headline, verdicts
from smoulder.figures.strips import relapse_lines, relapse_strip, treatment_strip
from smoulder.figures.style import BODY, GREY, HEADING, INK, SMALL, TITLE, printable, shortened, wrapped
from smoulder.figures.templates import rendered

WIDTH, LEFT, RIGHT = 900, 92, 20


def plot_patient(explanation: Explanation) -> Figure:
    """Draw one patient's timeline.

    Parameters
    ----------
    explanation
        What `explain` gives.

    Returns
    -------
    A figure with one panel a measure; `.save("p017.svg")`, `.png` or `.html` writes it.

    Examples
    --------
    >>> from smoulder import explain, plot_patient, read
    >>> visits = {"patient": ["A"] * 3, "date": ["2020-01-01", "2020-04-01", "2020-10-01"], "edss": [2.0, 3.0, 3.0]}
    >>> figure = plot_patient(explain(read(visits, nobody_relapsed=True), "A", "cdw-12w"))
    >>> figure.svg[:4]
    '<svg'
    """
    alt = printable(description(explanation))
    title = f"Patient {explanation.patient}"
    heading = f"{title}: {headline(explanation)}"
    marks, height = _drawing(explanation)
    svg = rendered("timeline.svg.j2", width=WIDTH, height=round(height), marks=marks, title=heading, alt=alt, key=_key(alt))
    steps = tuple((judged.measure.name, tuple(step.text for step in judged.steps)) for judged in explanation.measures)
    return Figure(
        svg=svg,
        alt=alt,
        title=title,
        subtitle=_subtitle(explanation),
        verdicts=verdicts(explanation),
        steps=steps,
        methods=explanation.definition.prose(),
        footnote=_provenance(explanation),
    )


def _key(text: str) -> str:
    """Return a short name that keeps the ids of two figures in one page apart."""
    return f"t{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _subtitle(explanation: Explanation) -> str:
    return f"{explanation.definition.title} [{explanation.definition.key}]"


def _provenance(explanation: Explanation) -> str:
    origin = explanation.provenance
    return f"Smoulder {origin.version}; input {origin.input_sha256[:12]}"


def _drawing(explanation: Explanation) -> tuple[list[Mark], float]:
    """Return all marks, and the height they need."""
    marks, top = _header(explanation)
    days = day_range(explanation)
    x = Scale(*(days or (0, 1)), LEFT, WIDTH - RIGHT)
    if days is None:
        empty = Words(text="no visit", x=WIDTH / 2, y=top + 40, fill=GREY, anchor="middle", italic=True)
        return [*marks, empty], top + 80
    strip, top = treatment_strip(explanation, x, top)
    row, below = relapse_strip(explanation, x, top)
    scans, below = scan_strip(explanation, x, below)
    panels = place_panels(explanation, x, below)
    ticks = day_ticks(*days, explanation.calendar)
    values = [tick.value for tick in ticks]
    for panel in panels:
        marks += panel_marks(explanation, panel, x, values, relapse_lines(explanation, x, panel.plot_top - 8, panel.plot_bottom))
    bottom = panels[-1].plot_bottom
    marks += [*strip, *row, *scans, *_day_axis(explanation, ticks, x, bottom)]
    key, end = legend(explanation, x, bottom + 44)
    return [*marks, *key, *_footnote(explanation, x, end + 12)], end + 12 + 8 + 13 * len(_footnote(explanation, x, 0))


def _header(explanation: Explanation) -> tuple[list[Mark], float]:
    wide = WIDTH - 2 * RIGHT
    title = shortened(f"Patient {explanation.patient}", wide, TITLE, bold=True)
    verdict = shortened(headline(explanation), wide, HEADING + 1, bold=True)
    marks: list[Mark] = [
        Words(text=title, x=RIGHT, y=30, size=TITLE, bold=True),
        Words(text=verdict, x=RIGHT, y=50, size=HEADING + 1, bold=True, fill=INK),
    ]
    lines = wrapped(_subtitle(explanation), wide, BODY)[:2]
    marks += [Words(text=text, x=RIGHT, y=67 + 14 * number, size=BODY, fill=GREY) for number, text in enumerate(lines)]
    return marks, 67 + 14 * len(lines) + 2


def _day_axis(explanation: Explanation, ticks: list[Tick], x: Scale, bottom: float) -> list[Mark]:
    marks: list[Mark] = []
    for tick in ticks:
        at = x(tick.value)
        marks.append(line(at, bottom, at, bottom + 4, stroke=GREY, width=0.75))
        marks.append(Words(text=tick.label, x=at, y=bottom + 16, anchor="middle"))
        if tick.below:
            marks.append(Words(text=tick.below, x=at, y=bottom + 29, anchor="middle", bold=True))
    if explanation.calendar == "day":
        marks.append(Words(text="day", x=(x.first + x.last) / 2, y=bottom + 31, fill=GREY, anchor="middle"))
    return marks


def _footnote(explanation: Explanation, x: Scale, top: float) -> list[Mark]:
    """Return what the reader must know beside the key, in small lines."""
    windows = ", ".join(window.prose() for window in explanation.definition.confirmation.windows)
    sentences = [f"Confirming visits, counted from onset: {windows}." if windows else explanation.definition.confirmation.prose()]
    if not explanation.definition.labelled:
        sentences.append("This definition does not tell PIRA from RAW.")
    elif explanation.relapse_knowledge == "unknown":
        sentences.append("There is no relapse table, so PIRA and RAW cannot be told apart.")
    sentences.append(f"{_provenance(explanation)}.")
    lines = wrapped(" ".join(sentences), x.last - x.first, SMALL)
    return [Words(text=text, x=x.first, y=top + 10 + 13 * number, size=SMALL, fill=GREY) for number, text in enumerate(lines)]
