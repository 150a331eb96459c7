"""The commands of the algorithms beside the scan: each reads, runs one of them, and gives its table, its shares and its reasons."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from smoulder.cli.common import met_in_tables, read_sound, tell_traps, tell_written
from smoulder.cli.options import AS_FOUND, Data, Key, Reading
from smoulder.cli.say import doing, give, give_table, say

if TYPE_CHECKING:
    import polars as pl
    from cyclopts import App

    from smoulder.outcome import Outcome
    from smoulder.outputs import Document
    from smoulder.rulebook import Definition
    from smoulder.tables import Cohort

ON_SCREEN = 20
"""Rows shown on the screen; files and --format csv have all."""

LINE = 100
"""Columns of a line of words."""

END = "\n\nExit code: 0 done, 1 faults in the data, 2 wrong use."


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Giving:
    """Where an outcome goes, and whose reasons are told."""

    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None
    """Write the table to FILE: .csv, .parquet, .xlsx or .json."""
    patient: Annotated[list[str] | None, Parameter(name=["--patient", "-p"], negative="")] = None
    """Say why, step by step, for the patient with this id. May be given again."""
    format: Literal["table", "csv", "json"] | None = None
    """How to print the table; table, unless it goes to a file."""

    @property
    def explain(self) -> tuple[str, ...]:
        """Return the patients whose reasons are told, each once."""
        return tuple(dict.fromkeys(self.patient or ()))


AS_TABLE = Giving()
"""No option given."""


def read_for(data: str, giving: Giving, reading: Reading, definitions: Sequence[Definition] = (), *more: Path | None) -> Cohort:
    """Check that the results can be written, then read the tables; UsageError or DataError where one of the two fails."""
    from smoulder.outputs import TABLE_ENDINGS, check_target

    inputs = reading.inputs(data)
    for target in (giving.output, *more):
        if target is not None:
            check_target(target, inputs, TABLE_ENDINGS)
    cohort = read_sound(data, reading, definitions)
    for patient in giving.explain:
        cohort.index_of(patient)
    return cohort


def deliver(found: Outcome, columns: Sequence[str], giving: Giving, inputs: Sequence[Path], extra: Mapping[str, Any]) -> None:
    """Write an outcome to its file, and print it as asked."""
    from smoulder.outputs import Files, write

    document = outcome_document(found, extra)
    if giving.output is not None:
        with doing("Writing"), Files(inputs) as files:
            write(document, giving.output, files)
    print_outcome(found, document, columns, giving)
    tell_written(giving.output)


def print_outcome(found: Outcome, document: Document, columns: Sequence[str], giving: Giving) -> None:
    """Print an outcome: the table where asked for, the words to stdout beside a table for people and to stderr beside data."""
    if giving.format == "csv":
        give(document.table.write_csv())
    elif giving.format == "json":
        give(document.json())
    elif giving.format == "table" or (giving.output is None and not giving.explain):
        give_rows(document.table, columns)
        give("")
    tell = say if giving.format in ("csv", "json") else give
    tell(wrapped(found.text()))


def wrapped(text: str) -> str:
    """Return text for people, its long lines broken and indented as they begin."""
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(line, LINE, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return "\n".join(lines)


def give_rows(table: pl.DataFrame, columns: Sequence[str]) -> None:
    """Print the first rows for people, those of the columns in which there is anything."""
    if not table.height:
        give("There is no row.")
        return
    shown = [name if name in table.columns else dated(name) for name in columns]
    shown = [name for name in shown if name == "patient" or table[name].null_count() < table.height]
    numbers = [name for name in shown if table[name].dtype.is_numeric()]
    rows = [[cell(value) for value in row] for row in table.select(shown).head(ON_SCREEN).iter_rows()]
    give_table([heading(name) for name in shown], rows, right=[heading(name) for name in numbers])
    if table.height > ON_SCREEN:
        give(f"... and {table.height - ON_SCREEN:,} more of {table.height:,}. All of them: -o FILE.csv, or --format csv")


def dated(name: str) -> str:
    """Return the name a column of days has once it holds dates."""
    return f"{name[:-3]}date" if name == "day" or name.endswith("_day") else name


def heading(name: str) -> str:
    """Return the name of a column as people read it."""
    return name.replace("_", " ").replace("mri", "MRI")


def cell(value: object) -> str:
    """Return a value of a table as people read it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def outcome_document(found: Outcome, extra: Mapping[str, Any]) -> Document:
    """Return an outcome as it is written: the table, the shares, the rule in full. `extra` goes into the provenance."""
    from smoulder.outputs import Document, about, provenance_frame

    known = {"outcome": found.name, "methods": found.methods, "rule": found.rule.model_dump(mode="json", exclude_none=True), **extra}
    shares, rule, said = summary_frame(found), rule_frame(found), reasons_frame(found)
    return Document(
        name="outcome",
        table=found.dated(),
        beside={
            "summary": shares,
            **({"reasons": said} if found.reasons else {}),
            "rule": rule,
            "provenance": provenance_frame(about(found.provenance, known)),
        },
        facts={"summary": shares.to_dicts(), "notes": list(found.notes), "reasons": {who: list(why) for who, why in found.reasons.items()}},
        provenance=found.provenance,
        extra=known,
    )


def summary_frame(found: Outcome) -> pl.DataFrame:
    """Return the shares and the notes, one row each: what is counted, the count, what it is out of, per cent and its interval."""
    import polars as pl

    rows: list[tuple[object, ...]] = []
    for line, share in found.counts:
        percent: list[float | None] = [None] * 3
        if share.interval is not None:
            percent = [round(100 * part, 2) for part in (share.numerator / share.denominator, *share.interval)]
        rows.append((line, share.numerator, share.denominator, *percent))
    rows += [(note, *[None] * 5) for note in found.notes]
    schema = {"what": pl.String, "n": pl.Int64, "out_of": pl.Int64, "percent": pl.Float64, "percent_low": pl.Float64}
    return pl.DataFrame(rows, schema=schema | {"percent_high": pl.Float64}, orient="row")


def rule_frame(found: Outcome) -> pl.DataFrame:
    """Return the rule in full, one row a setting, the words first."""
    import polars as pl

    rows = [("in words", found.methods)]
    settings: list[tuple[str, Any]] = list(found.rule.model_dump(mode="json").items())
    while settings:
        name, value = settings.pop(0)
        if isinstance(value, dict) and value:
            settings = [(f"{name}.{inner}", content) for inner, content in value.items()] + settings
        else:
            rows.append((name, "-" if value is None else str(value)))
    return pl.DataFrame(rows, schema={"setting": pl.String, "value": pl.String}, orient="row")


def reasons_frame(found: Outcome) -> pl.DataFrame:
    """Return the reasons, one row a sentence."""
    import polars as pl

    rows = [(patient, number, sentence) for patient, why in found.reasons.items() for number, sentence in enumerate(why, start=1)]
    return pl.DataFrame(rows, schema={"patient": pl.String, "step": pl.Int32, "reason": pl.String}, orient="row")


# The commands


def milestone(
    data: Data,
    score: Annotated[float, Parameter(name="SCORE", help="The score to reach, such as 6; at most this where lower is worse.")],
    /,
    *,
    measure: Annotated[str, Parameter(help="Key of the measure.")] = "edss",
    confirmed_after: Annotated[int, Parameter(help="Days after which a visit confirms it, if the score holds up to there.")] = 84,
    lasting: Annotated[bool, Parameter(help="It must hold to the end of follow-up as well.")] = False,
    giving: Giving = AS_TABLE,
    reading: Reading = AS_FOUND,
) -> None:
    """Find when a score such as EDSS 6 is first reached and confirmed."""
    from smoulder.engine.beside.reached import milestone_at, milestone_reached

    rule = milestone_at(score, measure, confirmed_after, lasting=lasting)
    cohort = read_for(data, giving, reading)
    found = milestone_reached(cohort, rule, giving.explain)
    columns = ("patient", "visits", "reached", "at_first_visit", "day", "score", "confirmed", "unconfirmed_day")
    deliver(found, columns, giving, reading.inputs(data), reading.used(data, cohort))


def progression(
    data: Data,
    /,
    *,
    without_systems: Annotated[bool, Parameter(help="Do without the functional systems, as where they were not recorded.")] = False,
    giving: Giving = AS_TABLE,
    reading: Reading = AS_FOUND,
) -> None:
    """Find conversion to secondary progression in the data (Lorscheider 2016)."""
    from smoulder.engine.beside.progression import secondary_progression
    from smoulder.rulebook.progression import LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS

    cohort = read_for(data, giving, reading)
    found = secondary_progression(cohort, LORSCHEIDER_2016_NO_SYSTEMS if without_systems else LORSCHEIDER_2016, explain=giving.explain)
    columns = ("patient", "reached", "reason", "day", "score", "reference_score", "confirmed_day", "last_day")
    deliver(found, columns, giving, reading.inputs(data), reading.used(data, cohort))


def neda(
    data: Data,
    /,
    *,
    definition: Key,
    neda4: Annotated[bool, Parameter(name="--neda4", help="Ask for brain volume too (NEDA-4).")] = False,
    from_day: Annotated[int, Parameter(help="First day of the window; what was before does not count.")] = 0,
    to_day: Annotated[int, Parameter(help="Last day of the window.")] = 365,
    time_zero: Annotated[bool, Parameter(help="Count the days from time zero instead of from the first visit.")] = False,
    tolerance: Annotated[int, Parameter(help="Days by which follow-up may begin late and end early.")] = 30,
    baseline_scans: Annotated[int, Parameter(help="Scans up to this many days after the window's start do not count.")] = 0,
    without_gd: Annotated[bool, Parameter(help="Take scans as read of which the gadolinium count is not known.")] = False,
    giving: Giving = AS_TABLE,
    reading: Reading = AS_FOUND,
) -> None:
    """Tell who had no evidence of disease activity in a window of days, who had, and of whom it is not known."""
    from smoulder.engine.beside.neda import neda as neda_of
    from smoulder.rulebook import definition as definition_of
    from smoulder.rulebook.cited import made
    from smoulder.rulebook.neda import WITH_GD, WITHOUT_GD, BrainVolume, Scans, neda_rule

    chosen = definition_of(definition)
    rule = neda_rule(
        chosen,
        start="time zero" if time_zero else "first visit",
        from_day=from_day,
        to_day=to_day,
        tolerance_days=tolerance,
        scans=made(Scans, "neda", baseline_days=baseline_scans, needed=WITHOUT_GD if without_gd else WITH_GD),
        brain_volume=BrainVolume() if neda4 else None,
    )
    cohort = read_for(data, giving, reading, (chosen,))
    found = neda_of(cohort, rule, giving.explain)
    met = met_in_tables((chosen,), cohort)
    tell_traps((chosen,), met)
    columns = ("patient", "neda", "no_relapse", "no_worsening", "no_mri_activity", "no_brain_volume_loss", "failed_for", "unknown_for")
    deliver(found, columns, giving, reading.inputs(data), reading.used(data, cohort) | {"on_these_tables": met})


def relapses(
    data: Data,
    /,
    *,
    rates: Annotated[Path | None, Parameter(help="Write one row a patient and period (relapses, days at risk, offset) to FILE.")] = None,
    apart: Annotated[int, Parameter(help="Days after an onset from which the next one is another relapse.")] = 30,
    chain: Annotated[bool, Parameter(help="Count these days from the report before, also from a merged one.")] = False,
    keep_outside: Annotated[bool, Parameter(help="Keep relapses before the first and after the last day of follow-up.")] = False,
    period: Annotated[int | None, Parameter(help="Length of each period in days; the whole follow-up if not given.")] = None,
    giving: Giving = AS_TABLE,
    reading: Reading = AS_FOUND,
) -> None:
    """List which reported relapses count, with the reason, and count them over the days at risk."""
    from smoulder.engine.beside.relapse_events import relapse_hygiene, relapse_rates, with_clean_relapses
    from smoulder.outputs import Files, write
    from smoulder.rulebook.cited import made
    from smoulder.rulebook.relapse_events import RelapseHygiene, RelapseRate

    hygiene = made(
        RelapseHygiene,
        "relapses",
        apart_days=apart,
        counted_from="the onset before" if chain else "the first onset",
        outside_follow_up="kept" if keep_outside else "dropped",
    )
    rate = made(RelapseRate, "relapses", period_days=period)
    cohort = read_for(data, giving, reading, (), rates)
    found = relapse_hygiene(cohort, hygiene, giving.explain)
    counted = relapse_rates(with_clean_relapses(cohort, hygiene), rate, giving.explain)
    inputs, extra = reading.inputs(data), reading.used(data, cohort)
    document = outcome_document(found, extra)
    cleaned = {"relapses_counted": hygiene.model_dump(mode="json"), "input_as_read_sha256": cohort.sha256}
    beside = outcome_document(counted, {**extra, **cleaned})
    with Files(inputs) as files:
        for target, whole in ((giving.output, document), (rates, beside)):
            if target is not None:
                write(whole, target, files)
    print_outcome(found, document, ("patient", "reported_day", "fate", "counts_as_day", "reason"), giving)
    tell = say if giving.format in ("csv", "json") else give
    tell(f"\n{wrapped(counted.text())}")
    tell_written(giving.output, rates)


def follow_up(
    data: Data,
    /,
    *,
    longest_gap: Annotated[int, Parameter(help="Days that may lie between two visits of one block.")] = 730,
    measure: Annotated[str | None, Parameter(help="Only visits with this measure; every visit if not given.")] = None,
    giving: Giving = AS_TABLE,
    reading: Reading = AS_FOUND,
) -> None:
    """Split follow-up into blocks where nobody was seen for long: days, visits, intervals and gaps of each."""
    from smoulder.engine.beside.blocks import follow_up_blocks
    from smoulder.rulebook.cited import made
    from smoulder.rulebook.periods import Blocks

    rule = made(Blocks, "follow-up", longest_gap_days=longest_gap, measure=measure)
    cohort = read_for(data, giving, reading)
    found = follow_up_blocks(cohort, rule, giving.explain)
    columns = ("patient", "block", "start_day", "end_day", "visits", "median_interval_days", "longest_interval_days", "visits_a_year")
    deliver(found, (*columns, "gap_before_days"), giving, reading.inputs(data), reading.used(data, cohort))


def decompose(
    data: Data,
    /,
    *,
    measure: Annotated[str, Parameter(help="Key of the measure.")] = "edss",
    days_after_relapse: Annotated[int, Parameter(help="A change seen up to this many days after a relapse is related to it.")] = 90,
    giving: Giving = AS_TABLE,
    reading: Reading = AS_FOUND,
) -> None:
    """Split the change from first to last visit into a relapse-related and an independent part."""
    from smoulder.engine.beside.decomposition import decompose_change
    from smoulder.rulebook.cited import made
    from smoulder.rulebook.periods import Decomposition

    rule = made(Decomposition, "decompose", measure=measure, days_after_relapse=days_after_relapse)
    cohort = read_for(data, giving, reading)
    found = decompose_change(cohort, rule, giving.explain)
    columns = ("patient", "visits", "first_score", "last_score", "change", "relapse_related", "independent", "undetermined")
    deliver(found, columns, giving, reading.inputs(data), reading.used(data, cohort))


def area(
    data: Data,
    /,
    *,
    measure: Annotated[str, Parameter(help="Key of the measure.")] = "edss",
    giving: Giving = AS_TABLE,
    reading: Reading = AS_FOUND,
) -> None:
    """Give the area under the scores over time: the mean score, and how far above the first one it was."""
    from smoulder.engine.beside.area import area_under_curve
    from smoulder.rulebook.periods import AreaUnderCurve

    cohort = read_for(data, giving, reading)
    found = area_under_curve(cohort, AreaUnderCurve(measure=measure), giving.explain)
    columns = ("patient", "visits", "days", "longest_interval_days", "first_score", "mean_score", "mean_above_first", "area_point_years")
    deliver(found, columns, giving, reading.inputs(data), reading.used(data, cohort))


EXAMPLES = {
    "milestone": """Examples:
  smoulder milestone my-data/ 6
  smoulder milestone my-data/ 4 --confirmed-after 168 -o edss4.csv
  smoulder milestone my-data/ 40 --measure sdmt -p P017""",
    "progression": """Examples:
  smoulder progression my-data/
  smoulder progression my-data/ --without-systems -p P017""",
    "neda": """Examples:
  smoulder neda my-data/ -d cdw-12w
  smoulder neda my-data/ -d cdw-12w --neda4 -o neda.xlsx
  smoulder neda my-data/ -d cdw-12w --from-day 180 --to-day 545 -p P017""",
    "relapses": """Examples:
  smoulder relapses my-data/
  smoulder relapses my-data/ -o relapses.csv --rates rates.csv --period 365""",
    "follow-up": """Examples:
  smoulder follow-up my-data/
  smoulder follow-up my-data/ --longest-gap 365 --measure edss -o blocks.csv""",
    "decompose": """Examples:
  smoulder decompose my-data/
  smoulder decompose my-data/ --measure sdmt -p P017""",
    "area": """Examples:
  smoulder area my-data/
  smoulder area my-data/ --measure t25fw -o area.csv""",
}


def add_outcomes(root: App, sort_key: int) -> None:
    """Add the commands to the program, one after the other from a place in its list on."""
    commands = {
        "milestone": milestone,
        "progression": progression,
        "neda": neda,
        "relapses": relapses,
        "follow-up": follow_up,
        "decompose": decompose,
        "area": area,
    }
    for place, (name, command) in enumerate(commands.items(), start=sort_key):
        root.command(command, name=name, sort_key=place, help_epilogue=EXAMPLES[name] + END)
