"""The figures that a study lists, drawn from what it found; a figure that cannot be drawn says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from smoulder import figures
from smoulder.engine import explain
from smoulder.errors import SmoulderError, counted
from smoulder.estimates import DAYS_A_YEAR, Curve, Effects
from smoulder.events import Events
from smoulder.figures.drawing import Drawing
from smoulder.protocol.analyses import FigurePart
from smoulder.protocol.timing import TimeZero
from smoulder.rulebook.parts import days_text, listed
from smoulder.studying.result import StudyResult

NAMES = {
    "flow": "Flow diagram",
    "curves": "Curves",
    "stack": "Stacked cumulative incidence",
    "forest": "Forest plot",
    "strip": "The whole cohort, one line a person",
    "spread": "Score over time",
    "timeline": "One person with an event",
}
"""What kinds of figures are called where they could not be drawn."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One figure of a study."""

    name: str
    """Of its file, such as "curves-survival-2"; each once."""
    kind: str
    of: str
    """Key of the analysis that it draws; "" of none."""
    drawing: Drawing | None
    """None: it could not be drawn."""
    why_not: str = ""
    """Why, as a sentence; "" where it was drawn."""


def study_charts(result: StudyResult) -> tuple[Drawn, ...]:
    """Return the figures that a study lists, in its order; of an analysis with several curves or models each has its own."""
    found: list[Drawn] = []
    names: Counter[str] = Counter()
    for part in result.study.figure:
        base = "-".join(word for word in (part.kind, part.of, part.by or "", part.measure if part.kind == "spread" else "") if word)
        of = part.of if part.kind in ("curves", "stack", "forest") else ""
        try:
            drawings: Sequence[Drawing | None] = list(_drawings(part, result))
            why_not = ""
        except SmoulderError as error:
            drawings, why_not = [None], str(error)
        for drawing in drawings:
            names[base] += 1
            name = base if names[base] == 1 else f"{base}-{names[base]}"
            found.append(Drawn(name=name, kind=part.kind, of=of, drawing=drawing, why_not=why_not))
    return tuple(found)


def _drawings(part: FigurePart, result: StudyResult) -> Iterator[Drawing]:
    """Yield the drawings of one figure of the study; SmoulderError where there is nothing to draw."""
    title = part.title or None
    followed = result.followed
    since = since_text(result.study.time_zero)
    if part.kind == "flow":
        yield figures.plot_flow(followed.flow)
    elif part.kind in ("curves", "stack"):
        curves = [one for one in _estimates(part.of, result) if isinstance(one, Curve)]
        if not curves:
            raise SmoulderError(f"The analysis '{part.of}' has no curve.")
        plot = figures.plot_curve if part.kind == "curves" else figures.plot_stack
        for curve in curves:
            yield plot(curve, title=title, by=_title_of(getattr(result.finding(part.of).analysis, "by", None), result), since=since)
    elif part.kind == "forest":
        effects = [one for one in _estimates(part.of, result) if isinstance(one, Effects)]
        if not effects:
            raise SmoulderError(f"The analysis '{part.of}' has no effects.")
        yield figures.plot_forest(effects, title=title)
    elif part.kind == "strip":
        mine = _of_one(result.events, part.of)
        # The report is passed on: who is which line stays out of it.
        yield figures.plot_cohort(followed.cohort, mine, people=followed.people, measure=part.measure, since=since, ids=False)
    elif part.kind == "spread":
        by_title = _title_of(part.by, result)
        yield figures.plot_spread(followed.cohort, people=followed.people, by=part.by, by_title=by_title, measure=part.measure, since=since)
    else:
        key = part.of or result.study.definition_keys()[0]
        chosen = next(one for one in result.events.definitions if one.key == key)
        yield figures.plot_patient(explain(followed.cohort, person_to_show(result, key), chosen))


def since_text(zero: TimeZero) -> str:
    """Return what time zero is in the few words that have room below an axis, such as "the start of natalizumab"."""
    names = listed(zero.treatments, "or") if zero.treatments else "treatment"
    of_treatment = {"treatment start": f"the start of {names}", "treatment stop": f"the last day on {names}"}
    others = {"first visit": "the first visit", "onset": "the first symptom", "diagnosis": "the diagnosis", "time zero": "time zero"}
    day = f"visit {zero.number}" if zero.at == "visit number" else (of_treatment | others)[zero.at]
    years = round(zero.plus_days / DAYS_A_YEAR)
    # 731 days are two years, one of them with a leap day.
    whole = years > 0 and abs(zero.plus_days - years * DAYS_A_YEAR) < 1
    later = counted(years, "year") if whole else days_text(zero.plus_days)
    return f"the landmark, {later} after {day}" if zero.plus_days else day


def _title_of(known: str | None, result: StudyResult) -> str | None:
    """Return what a study calls something known of a person; None of nothing."""
    return None if known is None else result.study.named(known).title


def _estimates(key: str, result: StudyResult) -> tuple[object, ...]:
    finding = result.finding(key)
    if not finding.estimates:
        raise SmoulderError(finding.why_not)
    return finding.estimates


def _of_one(events: Events, key: str) -> Events:
    """Return the events of one definition: of the one named, else of the first."""
    chosen = key or events.definitions[0].key
    definitions = tuple(one for one in events.definitions if one.key == chosen)
    return replace(events, table=events.of(chosen), definitions=definitions)


def person_to_show(result: StudyResult, definition: str) -> str:
    """Return whom to show: of those with a PIRA (else any worsening, else any event) the one with the fewest visits, then by id.

    Raises SmoulderError where nobody has an event.
    """
    mine = result.events.of(definition)
    for chosen in (mine.filter(pl.col("pira").fill_null(False)), mine.filter(pl.col("kind") == "worsening"), mine):
        if chosen.height:
            visits = result.events.follow_up.select("patient", "visits")
            people = chosen.select("patient").unique().join(visits, on="patient", how="left")
            return people.sort("visits", "patient")["patient"][0]
    raise SmoulderError(f"Nobody has an event under {definition}, so there is no person to show.")
