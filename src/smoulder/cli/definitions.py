"""`smoulder definitions`: the catalogue, one definition in full, and what tells two apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from smoulder.cli.say import give, give_table, give_wrapped, say
from smoulder.errors import UsageError, unknown

if TYPE_CHECKING:
    from smoulder.rulebook import Definition
    from smoulder.rulebook.catalogue import CatalogueEntry

Form = Annotated[Literal["text", "json", "csv"], Parameter(help="How to print it.")]
KeyOrFile = "Key of a definition, or a TOML file."

ABOUT = """List the published definitions, show one in full, tell two apart.

A definition says what counts as worsening, when it is confirmed, and what is
RAW and PIRA. Each is one text file: the rule, its source, and setting by
setting whether it was seen in the paper, taken from a program that implements it, or
assumed."""

EXAMPLES = """Examples:
  smoulder definitions list --measure edss
  smoulder definitions show mueller-2025
  smoulder definitions show mueller-2025 --format toml > mine.toml
  smoulder definitions diff kappos-2020-edss mueller-2025

In Python: smoulder.definitions(), definition(KEY), diff(a, b)"""

EVIDENCE = {"seen": "seen in the source", "code": "from a program", "assumed": "ASSUMED", "": ""}


def definitions_app() -> App:
    """Return the three commands under their common name."""
    app = App(name="definitions", help=ABOUT, help_epilogue=EXAMPLES, sort_key=5)
    for command, examples in ((list_, LIST_EXAMPLES), (show, SHOW_EXAMPLES), (diff, DIFF_EXAMPLES)):
        app.command(command, name=command.__name__.rstrip("_"), help_epilogue=examples)
    return app


LIST_EXAMPLES = """Examples:
  smoulder definitions list
  smoulder definitions list --measure edss --format csv"""

SHOW_EXAMPLES = """Examples:
  smoulder definitions show mueller-2025
  smoulder definitions show mueller-2025 --format toml > mine.toml
  smoulder definitions show mine.toml

In Python: smoulder.definition("mueller-2025").prose()"""

DIFF_EXAMPLES = """Examples:
  smoulder definitions diff kappos-2020-edss mueller-2025
  smoulder definitions diff mueller-2025 mine.toml

In Python: smoulder.diff(a, b)"""


def list_(
    *,
    measure: Annotated[str | None, Parameter(help="Only those that use this measure, such as edss or t25fw.")] = None,
    format: Form = "text",
) -> None:
    """List the definitions of the catalogue: key, measures, what is looked for, title."""
    from smoulder.rulebook import definitions

    found = definitions()
    known = sorted({rule.measure for one in found for rule in one.measures})
    if measure is not None and measure not in known:
        raise UsageError(unknown("measure in the catalogue", measure, known))
    chosen = [one for one in found if measure is None or measure in [rule.measure for rule in one.measures]]
    rows = [_row(one) for one in chosen]
    if format == "json":
        give(json.dumps(rows, indent=1, ensure_ascii=False))
    elif format == "csv":
        give(_csv(rows))
    else:
        texts = [
            (one.key, " ".join(r.measure for r in one.measures), one.looking_for, "yes" if one.labelled else "no", _year(one), one.title)
            for one in chosen
        ]
        give_table(("key", "measures", "looks for", "RAW/PIRA", "year", "title"), texts)
        say(f"\n{len(rows)} definitions. One in full: smoulder definitions show KEY")


def _year(one: Definition) -> str:
    return "" if one.source.year is None else str(one.source.year)


def _row(one: Definition) -> dict[str, object]:
    return {
        "key": one.key,
        "title": one.title,
        "measures": " ".join(rule.measure for rule in one.measures),
        "looking_for": one.looking_for,
        "labelled": one.labelled,
        "year": one.source.year,
        "citation": one.source.citation,
        "doi": one.source.doi,
    }


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    import polars as pl

    return pl.DataFrame(rows, infer_schema_length=None).write_csv()


def show(
    definition: Annotated[str, Parameter(name="KEY", help=KeyOrFile)],
    /,
    *,
    format: Annotated[Literal["text", "toml", "json"], Parameter(help="How to print it; toml is a start for one of your own.")] = "text",
) -> None:
    """Show one definition in full: words, settings, evidence, traps, examples."""
    from smoulder.rulebook import definition as definition_of
    from smoulder.rulebook import entry, keys

    one = definition_of(definition)
    if format == "toml":
        give(one.toml())
    elif format == "json":
        give(json.dumps(one.as_dict(), indent=1, ensure_ascii=False))
    else:
        _give_definition(one)
        if definition in keys():
            _give_entry(entry(definition))
        _give_source(one)


def _give_definition(one: Definition) -> None:
    from smoulder.outputs import evidence, setting_text
    from smoulder.rulebook import traps

    give(f"{one.title} [{one.key}]\n\n")
    give_wrapped(one.prose())
    give("")
    rows = [(setting, setting_text(value), EVIDENCE[evidence(one, setting)]) for setting, value in one.settings().items()]
    give_table(("setting", "value", "how it is known"), rows)
    for sentence in traps(one):
        give("")
        give_wrapped(f"Known trap: {sentence}")


def _give_entry(found: CatalogueEntry) -> None:
    page = found.page
    for title, text in (
        ("What counts", page.counts),
        ("Why it exists", page.why),
        ("How papers differ", page.differs),
        ("Where it misleads", page.traps),
    ):
        if text:
            give(f"\n{title}")
            give_wrapped(" ".join(text.split()), indent="  ")
    for patient in found.patients:
        give(f"\nWorked patient: {patient.title}")
        for measure, series in patient.visits.items():
            give(f"  {measure} by day: {' '.join(series.split())}")
        if patient.relapses:
            give(f"  relapses on day: {', '.join(str(day) for day in patient.relapses)}")
        for event in patient.events:
            confirmed = f", confirmed on day {event.confirmed}" if event.confirmed is not None else ""
            give(f"  {event.kind}{f' ({event.label})' if event.label else ''}: onset on day {event.onset}{confirmed}")
        if not patient.events:
            give("  no event")
        give_wrapped(" ".join(patient.because.split()), indent="  ")


def _give_source(one: Definition) -> None:
    if one.source.citation:
        give("")
        give_wrapped(f"Source: {one.source.citation}{f' doi:{one.source.doi}' if one.source.doi else ''}")


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
