"""`smoulder definitions`: the catalogue, one definition in full, and what tells two apart."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from smoulder.cli.say import give, give_table, give_wrapped, say
from smoulder.errors import UsageError, counted, unknown
from smoulder.terms import MEASURES

if TYPE_CHECKING:
    from smoulder.rulebook import Definition, Grid
    from smoulder.rulebook.beside import Beside, JudgedPatient
    from smoulder.rulebook.catalogue import Page, WorkedEvent, WorkedPatient
    from smoulder.rulebook.model import Source

Form = Annotated[Literal["text", "json", "csv"], Parameter(help="How to print it.")]
KeyOrFile = "Key of a definition, also of one in a grid (GRID.VALUE-VALUE-…), or a TOML file."
KeyGridOrFile = "Key of a definition or of a grid, or a TOML file."

ABOUT = """List the published definitions, show one in full, tell two apart.

A definition says what counts as worsening, when it is confirmed, and what is
RAW and PIRA. Each is one text file: the rule, its source, and setting by
setting whether it was seen in the paper, taken from a program that implements
it, or assumed. A grid is many definitions of one paper: every combination of
some values."""

EXAMPLES = """Examples:
  smoulder definitions list --measure edss --outcome PIRA
  smoulder definitions list --grids
  smoulder definitions show mueller-2025
  smoulder definitions show mueller-2025 --format toml > mine.toml
  smoulder definitions diff kappos-2020-edss mueller-2025

In Python: smoulder.definitions(), definition(KEY), diff(a, b), grid(KEY)"""

EVIDENCE = {"seen": "seen in the source", "code": "from a program", "assumed": "ASSUMED", "": ""}


def definitions_app() -> App:
    """Return the three commands under their common name."""
    app = App(name="definitions", help=ABOUT, help_epilogue=EXAMPLES, sort_key=5)
    for command, examples in ((list_, LIST_EXAMPLES), (show, SHOW_EXAMPLES), (diff, DIFF_EXAMPLES)):
        app.command(command, name=command.__name__.rstrip("_"), help_epilogue=examples)
    return app


LIST_EXAMPLES = """Examples:
  smoulder definitions list
  smoulder definitions list --measure edss --outcome PIRA --year 2020-2025
  smoulder definitions list --source msbase --format csv
  smoulder definitions list --verified
  smoulder definitions list --grids"""

SHOW_EXAMPLES = """Examples:
  smoulder definitions show mueller-2025
  smoulder definitions show mueller-2025 --format toml > mine.toml
  smoulder definitions show mine.toml
  smoulder definitions show portaccio-2025-grid
  smoulder definitions show portaccio-2025-grid.roving-24w-90d

In Python: smoulder.definition("mueller-2025").prose(), smoulder.grid("portaccio-2025-grid").prose()"""

DIFF_EXAMPLES = """Examples:
  smoulder definitions diff kappos-2020-edss mueller-2025
  smoulder definitions diff mueller-2025 mine.toml
  smoulder definitions diff portaccio-2025 portaccio-2025-grid.roving-48w-90d

In Python: smoulder.diff(a, b)"""


def list_(
    *,
    measure: Annotated[str | None, Parameter(help="Only those that use this measure, such as edss or t25fw.")] = None,
    outcome: Annotated[Literal["worsening", "improvement", "PIRA", "RAW"] | None, Parameter(help="Only those that look for this.")] = None,
    year: Annotated[str | None, Parameter(help="Only those published in this year, such as 2023, or span, such as 2020-2025.")] = None,
    source: Annotated[str | None, Parameter(help="Only those with this text in key, title, citation or DOI, such as MSBase.")] = None,
    verified: Annotated[
        bool,
        Parameter(
            negative="",
            help="Only those whose thresholds, confirmation windows and relapse intervals were all read in the source or taken from "
            "a program, none assumed; other settings may be assumed.",
        ),
    ] = False,
    grids: Annotated[bool, Parameter(negative="", help="The grids instead, with how many definitions each makes.")] = False,
    format: Form = "text",
) -> None:
    """List the definitions of the catalogue: key, measures, what is looked for, evidence, title."""
    from smoulder.rulebook import definitions
    from smoulder.rulebook.search import is_about, is_verified, outcomes

    if grids:
        if measure is not None or outcome is not None or verified:
            raise UsageError("--grids lists grids; of the filters only --year and --source go with it.")
        _list_grids(year, source, format)
        return
    found = definitions()
    known = sorted({*MEASURES, *(rule.measure for one in found for rule in one.measures)})
    if measure is not None and measure not in known:
        raise UsageError(unknown("measure", measure, known))
    chosen = [
        one
        for one in found
        if (measure is None or measure in [rule.measure for rule in one.measures])
        and (outcome is None or outcome in outcomes(one))
        and _in_years(one.source, year)
        and (source is None or is_about(source, one.source, one.key, one.title))
        and (not verified or is_verified(one))
    ]
    rows = [_row(one) for one in chosen]
    if format == "json":
        give(json.dumps(rows, indent=1, ensure_ascii=False))
    elif format == "csv":
        give(_csv(rows) if rows else ",".join(_row(found[0])))
    else:
        if chosen:
            heads = ("key", "measures", "looks for", "RAW/PIRA", "year", "read/program/assumed", "title")
            give_table(heads, [_texts(one) for one in chosen])
        elif measure is not None and not any(measure in [rule.measure for rule in one.measures] for one in found):
            say(f"No definition of the catalogue uses the {MEASURES[measure].name}; one of your own may.")
        what = "definition" if len(rows) == len(found) else f"of {len(found)} definitions"
        if len(chosen) == len(found):
            from smoulder.rulebook.beside import BESIDE

            say(f"\nBeside the definitions: {', '.join(BESIDE)} (smoulder progression, smoulder neda)")
        say(f"\n{counted(len(rows), what, what if len(rows) != len(found) else None)}. One in full: smoulder definitions show KEY")


def _in_years(source: Source, years: str | None) -> bool:
    """Return whether a source is from a year, or a span of years; UsageError where the text is neither."""
    if years is None:
        return True
    span = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", years)
    if span is None or int(span[1]) > int(span[2] or span[1]):
        raise UsageError(f"'{years}' is neither a year, such as 2023, nor a span of years, such as 2020-2025.")
    return source.year is not None and int(span[1]) <= source.year <= int(span[2] or span[1])


def _year(source: Source) -> str:
    return "" if source.year is None else str(source.year)


def _texts(one: Definition) -> tuple[str, ...]:
    source = one.source
    marks = f"{len(source.seen)}/{len(source.code)}/{len(source.assumed)}"
    measures = " ".join(rule.measure for rule in one.measures)
    return one.key, measures, one.looking_for, "yes" if one.labelled else "no", _year(source), marks, one.title


def _row(one: Definition) -> dict[str, object]:
    from smoulder.rulebook.search import is_verified, outcomes

    return {
        "key": one.key,
        "title": one.title,
        "measures": " ".join(rule.measure for rule in one.measures),
        "looking_for": one.looking_for,
        "outcomes": " ".join(outcomes(one)),
        "labelled": one.labelled,
        "year": one.source.year,
        "citation": one.source.citation,
        "doi": one.source.doi,
        "read": len(one.source.seen),
        "program": len(one.source.code),
        "assumed": len(one.source.assumed),
        "verified": is_verified(one),
    }


def _list_grids(year: str | None, source: str | None, format: Form) -> None:
    from smoulder.rulebook import grid
    from smoulder.rulebook import grids as grid_keys
    from smoulder.rulebook.search import is_about

    every = [grid(key) for key in grid_keys()]
    found = [one for one in every if _in_years(one.source, year) and (source is None or is_about(source, one.source, one.key, one.title))]
    rows: list[dict[str, object]] = [
        {
            "key": one.key,
            "definitions": len(one),
            "axes": " × ".join(f"{axis.name} {len(axis.values)}" for axis in one.axes),
            "axes_are": _axes_are(one),
            "year": one.source.year,
            "title": one.title,
        }
        for one in found
    ]
    if format == "json":
        give(json.dumps(rows, indent=1, ensure_ascii=False))
    elif format == "csv":
        give(_csv(rows) if rows else "key,definitions,axes,axes_are,year,title")
    else:
        if rows:
            texts = [
                (one.key, f"{len(one):,}", str(row["axes"]), str(row["axes_are"]), _year(one.source), one.title)
                for one, row in zip(found, rows, strict=True)
            ]
            give_table(("key", "definitions", "axes", "the axes are", "year", "title"), texts, right=("definitions",))
        say(f"\n{counted(len(rows), 'grid')}. Its axes: smoulder definitions show KEY; all its definitions at once: -d KEY")


def _axes_are(one: Grid) -> str:
    """Return how the axes of a grid are known, and how much of their values is assumed."""
    values = [value for axis in one.axes for value in axis.values]
    assumed = [value for value in values if value.evidence == "assumed" or value.assumed]
    known = EVIDENCE[one.axes_evidence]
    if not assumed or one.axes_evidence == "assumed":
        return known
    whole = len(assumed) == len(values) and all(value.evidence == "assumed" for value in assumed)
    return f"{known}, values {'' if whole else 'partly '}ASSUMED"


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    import polars as pl

    return pl.DataFrame(rows, infer_schema_length=None).write_csv()


def show(
    definition: Annotated[str, Parameter(name="KEY", help=KeyGridOrFile)],
    /,
    *,
    format: Annotated[Literal["text", "toml", "json"], Parameter(help="How to print it; toml is a start for one of your own.")] = "text",
) -> None:
    """Show one definition in full, or the axes of a grid: words, examples, settings, evidence, traps, source."""
    from smoulder.rulebook import definition as definition_of
    from smoulder.rulebook import entry, grid, grids, keys
    from smoulder.rulebook.beside import BESIDE, beside
    from smoulder.rulebook.grid import grid_in

    if definition in BESIDE:
        _give_beside(beside(definition), format)
        return
    many = grid(definition) if definition in grids() else grid_in(definition) if definition.endswith(".toml") else None
    one = many if many is not None else definition_of(definition)
    if format == "toml":
        give(one.toml())
    elif format == "json":
        give(json.dumps(one.as_dict(), indent=1, ensure_ascii=False))
    elif many is not None:
        _give_grid(many)
    else:
        rules = definition_of(definition)
        give(f"{rules.title} [{rules.key}]")
        found = entry(definition) if definition in keys() else None
        if found is not None:
            _give_page(found.page)
            for patient in found.patients:
                _give_patient(patient)
        _give_parameters(rules, found.page.traps if found is not None else "")
        _give_source(rules.source)
        home = rules.key.partition(".")[0]
        if home in grids() and definition == rules.key:
            say(f"\nOne of {len(grid(home)):,} definitions: smoulder definitions show {home}")


def _give_beside(one: Beside, format: str) -> None:
    """Give a rule that is no definition of the scan, in the order of a definition, and the command that runs it."""
    from smoulder.outputs import setting_text

    if format != "text":
        if format == "toml":
            raise UsageError(
                f"'{one.key}' is no definition of worsening but a rule of its own; it has no TOML file. It runs as: {one.command}"
            )
        give(json.dumps(one.rule.model_dump(mode="json"), indent=1, ensure_ascii=False))
        return
    give(f"{one.title} [{one.key}]")
    _give_page(one.page)
    for patient in one.patients:
        _give_judged(patient)
    # A definition within the rule has a page of its own.
    settings = {name: value["key"] if name == "worsening" else value for name, value in one.rule.model_dump(mode="json").items()}
    rows = [
        (name, setting_text(value), EVIDENCE[one.rule.evidence(name)])
        for name, value in settings.items()
        if name not in ("key", "title", "source")
    ]
    give("\nParameters")
    give_table(("setting", "value", "how it is known"), rows)
    _give_section("Known traps", one.page.traps or "None known.")
    _give_section("Methods paragraph", one.rule.prose())
    _give_source(one.rule.source)
    say(f"\nIt is no definition of worsening and runs as: {one.command}")


def _give_judged(patient: JudgedPatient) -> None:
    """Give a worked patient of such a rule."""
    _give_series(patient)
    verdict = {"yes": "yes", "no": "no", "unknown": "not known"}[patient.verdict]
    day = f", on day {patient.day}" if patient.day is not None else ""
    give(f"  {verdict}{day}{f' ({patient.why})' if patient.why else ''}")
    give_wrapped(" ".join(patient.because.split()), indent="  ")


def _give_page(page: Page) -> None:
    for title, text in (("What counts", page.counts), ("Why it exists", page.why), ("How papers differ", page.differs)):
        _give_section(title, text)


def _give_section(title: str, *paragraphs: str) -> None:
    give(f"\n{title}")
    for text in paragraphs:
        give_wrapped(" ".join(text.split()), indent="  ")


def _give_parameters(one: Definition, more_traps: str) -> None:
    from smoulder.outputs import evidence, setting_text
    from smoulder.rulebook import traps

    give("\nParameters")
    rows = [(setting, setting_text(value), EVIDENCE[evidence(one, setting)]) for setting, value in one.settings().items()]
    give_table(("setting", "value", "how it is known"), rows)
    known = [*([more_traps] if more_traps else []), *traps(one)]
    _give_section("Known traps", *(known or ["None known."]))
    _give_section("Methods paragraph", one.prose())


def _give_patient(patient: WorkedPatient) -> None:
    _give_series(patient)
    for event in patient.events:
        give(f"  {_event_text(event)}")
    if not patient.events:
        give("  no event")
    give_wrapped(" ".join(patient.because.split()), indent="  ")


def _event_text(event: WorkedEvent) -> str:
    confirmed = f", confirmed on day {event.confirmed}" if event.confirmed is not None else ""
    return f"{event.kind}{f' ({event.label})' if event.label else ''}: onset on day {event.onset}{confirmed}"


def _give_series(patient: WorkedPatient | JudgedPatient) -> None:
    """Give what is known of a worked patient, without the verdict."""
    from smoulder.rulebook.catalogue import WorkedPatient

    give(f"\nWorked patient: {patient.title}")
    for measure, series in patient.visits.items():
        give(f"  {measure} by day: {' '.join(series.split())}")
    if patient.relapses:
        give(f"  relapses on day: {', '.join(map(str, patient.relapses))}")
    if isinstance(patient, WorkedPatient):
        if patient.unscheduled:
            give(f"  visits that were not planned on day: {', '.join(map(str, patient.unscheduled))}")
        for what, day in (("time zero", patient.time_zero), ("diagnosis", patient.diagnosis)):
            if day is not None:
                give(f"  {what}: day {day}")
    for day, counts in patient.scans.items():
        give(f"  MRI on day {day}: {', '.join(f'{name} {count:g}' for name, count in counts.items())}")


def _give_grid(one: Grid) -> None:
    from smoulder.rulebook.grid import evidence_words, settings_text

    give(f"{one.title} [{one.key}]\n")
    scheme = "-".join(axis.name.upper() for axis in one.axes)
    give_wrapped(f"{counted(len(one), 'definition')}, named {one.key}.{scheme}, such as {one.example()}.")
    _give_page(one.page)
    for patient in one.patients:
        _give_series(patient)
        for answer in patient.answers:
            give_wrapped(f"{one.key}.{answer.definition}: {'; '.join(map(_event_text, answer.events)) or 'no event'}", indent="  ")
        give(f"  a worsening under {patient.found_by:,} of {len(one):,} definitions")
        give_wrapped(" ".join(patient.because.split()), indent="  ")
    give("\nAxes")
    rows = [
        (axis.title if first else "", value.name, value.title, settings_text(value), evidence_words(value))
        for axis in one.axes
        for first, value in ((value is axis.values[0], value) for value in axis.values)
    ]
    give_table(("axis", "name", "value", "sets", "how it is known"), rows)
    _give_section("Known traps", one.page.traps or "None known.")
    _give_section("Methods paragraph", one.prose())
    _give_source(one.source)


def _give_source(source: Source) -> None:
    if source.citation:
        give("")
        give_wrapped(f"Source: {source.citation}{f' doi:{source.doi}' if source.doi else ''}")


def diff(
    a: Annotated[str, Parameter(name="A", help=KeyOrFile)],
    b: Annotated[str, Parameter(name="B", help=KeyOrFile)],
    /,
    *,
    format: Form = "text",
) -> None:
    """Tell two definitions apart: every setting that differs."""
    from smoulder.rulebook import definition as definition_of
    from smoulder.rulebook import diff as differences_of

    left, right = definition_of(a), definition_of(b)
    differences = differences_of(left, right)
    rows = [{"setting": d.setting, "a": d.a, "b": d.b} for d in differences]
    if format == "json":
        give(json.dumps({"a": left.key, "b": right.key, "differences": rows}, indent=1, ensure_ascii=False))
    elif format == "csv":
        give(_csv(rows) if rows else "setting,a,b")
    elif not rows:
        give(f"{left.key} and {right.key} decide alike: no setting differs.")
    else:
        give_table(("setting", left.key, right.key), [(d.setting, d.a, d.b) for d in differences])
