"""`smoulder events`: every event that definitions see in a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from smoulder.cli.common import PREPARING, met_in_tables, read_sound, tell_traps, tell_written
from smoulder.cli.options import AS_FOUND, Data, Keys, Output, Reading
from smoulder.cli.say import console, doing, give, give_table, say

if TYPE_CHECKING:
    from smoulder.events import Events
    from smoulder.rulebook import Definition
    from smoulder.tables import Cohort

EXAMPLES = """Examples:
  smoulder events my-data/ -d mueller-2025
  smoulder events my-data/ -d mueller-2025 -d kappos-2020-edss -o events.xlsx
  smoulder events my-data/ -d my-definition.toml --format csv > events.csv
  smoulder events my-data/ -d cdw-12w -o events.csv --unconfirmed rest.csv

Exit code: 0 done, 1 faults in the data, 2 wrong use.
In Python: smoulder.detect(cohort, "mueller-2025")"""

ON_SCREEN = 20
"""Events shown on the screen; files and --format csv have all."""
WIDE = 100
"""From this width of the terminal on there is room for the day of the visit compared with."""


def events(
    data: Data,
    /,
    *,
    definition: Keys,
    output: Annotated[Output, Parameter(help="Write the events to FILE: .csv, .parquet, .xlsx or .json.")] = None,
    unconfirmed: Annotated[Path | None, Parameter(help="Write the changes that are no event, with the reason, to FILE.")] = None,
    follow_up: Annotated[Path | None, Parameter(help="Write one row a patient (first and last visit, counts) to FILE.")] = None,
    format: Annotated[
        Literal["table", "csv", "json"] | None, Parameter(help="How to print the events; table, unless they go to a file.")
    ] = None,
    threads: Annotated[int | None, Parameter(help="How many threads to use; one a core if not given. The result is the same.")] = None,
    reading: Reading = AS_FOUND,
) -> None:
    """Find every event that a definition sees: one row each, and the counts.

    Each event says who, worsening or improvement, RAW or PIRA or neither, when
    it began, what it was compared with and when it was confirmed. Counts say what
    they are out of. The definition goes into every file in full, with the version
    and a hash of the input.
    """
    from smoulder.errors import UsageError
    from smoulder.outputs import write_events
    from smoulder.rulebook import resolve

    if threads is not None and threads < 1:
        raise UsageError(f"--threads must be 1 or more; found {threads}.")
    chosen = resolve(definition)
    inputs = reading.inputs(data)
    _require_targets(inputs, output, unconfirmed, follow_up)
    cohort = read_sound(data, reading, chosen)
    found = detected(cohort, chosen, threads)
    met = met_in_tables(chosen, cohort)
    tell_traps(chosen, met, known=len(chosen) > MOST_IN_FULL)
    notes = {one.key: list(told.notes) for one, told in zip(chosen, found.summaries(), strict=True) if told.notes}
    extra = reading.used(data, cohort) | {"notes": notes, "on_these_tables": met}
    if output or unconfirmed or follow_up:
        with doing("Writing"):
            write_events(found, output, unconfirmed=unconfirmed, follow_up=follow_up, inputs=inputs, extra=extra)
    _give(found, cohort, format or ("summary" if output else "table"), extra)
    tell_written(output, unconfirmed, follow_up)


def detected(cohort: Cohort, definitions: tuple[Definition, ...], threads: int | None = None) -> Events:
    """Return the events, saying so where the engine has to be compiled first."""
    from smoulder.engine import is_prepared

    ready = is_prepared()
    with doing("Looking for events" if ready else PREPARING, tell=not ready):
        from smoulder.engine import detect

        return detect(cohort, definitions, threads=threads)


def _require_targets(inputs: Sequence[Path], *targets: Path | None) -> None:
    """Raise UsageError before the work is done, not after it, where a result cannot be written."""
    from smoulder.outputs import TABLE_ENDINGS, check_target

    for target in targets:
        if target is not None:
            check_target(target, inputs, TABLE_ENDINGS)


MOST_IN_FULL = 12
"""Definitions whose counts are told in full; of more, as a grid has them, each has a line."""


def summary_text(found: Events) -> str:
    """Return the counts of each definition in words, and below them its known traps."""
    if len(found.definitions) > MOST_IN_FULL:
        return summary_lines(found)
    return "\n\n".join(one.text() for one in found.summaries())


def summary_lines(found: Events) -> str:
    """Return a line a definition: how many patients have which event, out of those who could be assessed, and the person-years."""
    summaries = found.summaries()
    names = list(dict.fromkeys(name for one in summaries for name, _ in one.counts))
    keys = [definition.key for definition in found.definitions]
    width = max(map(len, keys))
    lines = [f"patients with: {'; '.join(names)}; out of those assessed; person-years"]
    for key, one in zip(keys, summaries, strict=True):
        counts = dict(one.counts)
        shares = "  ".join(f"{counts[name].numerator:>9,}" if name in counts else f"{'-':>9}" for name in names)
        out_of = max((share.denominator for share in counts.values()), default=0)
        lines.append(f"{key:<{width}}  {shares}  {out_of:>9,}  {one.person_years:>12,.1f}")
    return "\n".join(lines)


def _give(found: Events, cohort: Cohort, format: str, extra: Mapping[str, Any]) -> None:
    from smoulder.outputs import events_document

    summary = summary_text(found)
    if format == "csv":
        give(found.dated().write_csv())
    elif format == "json":
        give(events_document(found, extra).json())
    elif format == "table":
        give_events(found, cohort)
    if format in ("table", "summary"):
        give(f"\n{summary}" if format == "table" else summary)
    else:
        say(summary)


def give_events(found: Events, cohort: Cohort, most: int = ON_SCREEN) -> None:
    """Write the first events to stdout as a table for people."""
    import polars as pl

    frame = found.dated()
    if not frame.height:
        give("No event was found.")
        return
    ending = "date" if found.calendar == "date" else "day"
    confirmed = [n for n in frame.columns if n.startswith("confirmed_") and n.endswith(ending)]
    shown = frame.head(most).with_columns(first_confirmed=pl.min_horizontal(confirmed) if confirmed else pl.lit(None))
    several = {
        "definition": len(found.definitions) > 1,
        "measure": any(one.is_composite for one in found.definitions) or frame["measure"].n_unique() > 1,
    }
    wide = console().width >= WIDE
    headers = ["patient", *(name for name, wanted in several.items() if wanted)]
    rows = []
    for row in shown.iter_rows(named=True):
        text = cohort.measure(row["measure"])
        change = " to ".join(text.text(round(row[name] * text.units_per_point)) for name in ("reference_score", "onset_score"))
        confirmation = str(row["first_confirmed"]) if row["first_confirmed"] is not None else "(not confirmed)"
        until = f"{row[f'sustained_until_{ending}']}{' (end)' if row['sustained_to_end'] else ''}"
        days = [str(row[f"onset_{ending}"]), change, confirmation, until]
        if wide:
            days.insert(0, str(row[f"baseline_{ending}"]))
        rows.append([*(str(row[name]) for name in headers), row["kind"], row["label"] or "-", *days])
    compared = ("compared with",) if wide else ()
    give_table((*headers, "kind", "label", *compared, "onset", "score", "confirmed", "held until"), rows)
    if frame.height > most:
        give(f"... and {frame.height - most:,} more of {frame.height:,}. All of them: -o events.csv, or --format csv")
