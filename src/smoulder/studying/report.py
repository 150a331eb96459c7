"""The report of a study: one page that needs nothing else and fetches nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from smoulder.analysis.counts import event_counts
from smoulder.errors import counted
from smoulder.estimates import SHARE_SCHEMA, Effects, Estimate, Shares
from smoulder.figures.chart import Chart
from smoulder.findings import LEVELS
from smoulder.protocol.analyses import CountsAnalysis
from smoulder.rulebook import traps
from smoulder.studying.charts import NAMES, Drawn
from smoulder.studying.formatting import ShownTable, number, proportion, sentence, shown_tables, table_of, years
from smoulder.studying.methods import LIBRARIES, group_title, limits, main_sentences, methods_paragraphs, software
from smoulder.studying.reporting_items import ABOUT, reason_counts, reporting_items
from smoulder.studying.result import Finding, StudyResult
from smoulder.studying.templates import rendered

FOOTNOTE = "Made by Smoulder. For research only; not a medical device."
HEADINGS = {
    "found": "What was found",
    "people": "The people",
    "analyses": "Analyses",
    "figures": "More figures",
    "methods": "Methods",
    "limits": "Limits and warnings",
    "reporting": "Reporting items",
    "checks": "Checks of the tables",
    "provenance": "Provenance",
}
PERSON_YEARS = (
    "Person-years: of an outcome from time zero to the event or, without one, to the last day on which it could have been seen; of counts "
    "of people and events from time zero to the last visit."
)
OUTCOME_SCHEMA: dict[str, pl.DataType] = {
    "key": pl.String(),
    "outcome": pl.String(),
    "n": pl.Int64(),
    "out_of": pl.Int64(),
    "person_years": pl.Float64(),
    "competing": pl.Int64(),
    "left_out": pl.Int64(),
    "why_not": pl.String(),
}


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """A figure as it stands in the page."""

    number: int
    anchor: str
    title: str
    caption: str
    alt: str
    svg: str
    """"" where it could not be drawn."""
    why_not: str


@dataclass(frozen=True, kw_only=True)
class _Told:
    """An estimate as it stands in the page."""

    title: str
    tables: tuple[ShownTable, ...]
    notes: tuple[str, ...]


def report_html(
    result: StudyResult,
    drawn: Sequence[Drawn],
    *,
    made_on: str | None = None,
    inputs: Sequence[tuple[str, str]] = (),
    files: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> str:
    """Return the report of a study as one HTML page.

    Parameters
    ----------
    drawn
        The figures, as `study_charts` gives them.
    made_on
        The day on which it is made, told in one line; None: not told. Nothing else of the page hangs on the day.
    inputs
        Name and SHA-256 of each file that was read.
    files
        Name of each file that is written beside the page -> what it holds.
    extra
        Further parts of the provenance, such as how the tables were read.
    """
    placed = _all_placed(result, drawn)
    of: dict[str, list[_Placed]] = {}
    for one in drawn:
        of.setdefault("flow" if one.kind == "flow" else f"analysis {one.of}" if one.of else "other", []).append(placed[one.name])
    other = of.get("other", [])
    return rendered(
        "report.html.j2",
        study=result.study,
        made_on=made_on,
        notes=result.cohort.report.notes,
        contents=[(anchor, heading) for anchor, heading in HEADINGS.items() if anchor != "figures" or other],
        found=main_sentences(result),
        outcomes=shown_outcomes(result),
        by_definition=_shown_counts(result),
        flow_figures=of.get("flow", []),
        flow=_shown_flow(result),
        ends=_shown_ends(result),
        analyses=[_analysis(result, finding, of.get(f"analysis {finding.key}", [])) for finding in result.findings],
        other_figures=other,
        methods=methods_paragraphs(result),
        limits=limits(result),
        about_items=ABOUT,
        items=shown_items(reporting_items(result)),
        accounts=[account.text() for account in result.cohort.report.accounts],
        aside=_aside(result),
        checked=_checked(result),
        provenance=_shown_provenance(result),
        inputs=ShownTable(title="Files that were read", head=("file", "SHA-256"), rows=tuple(inputs)),
        in_full=list(_in_full(result, extra or {})),
        files=ShownTable(title="Files that belong to this report", head=("file", "what it holds"), rows=tuple((files or {}).items())),
        footnote=FOOTNOTE,
    )


def _all_placed(result: StudyResult, drawn: Sequence[Drawn]) -> dict[str, _Placed]:
    """Return the figures by name, numbered in the order in which they stand in the page: flow, of each analysis, the others."""
    order = ["", *(finding.key for finding in result.findings)]
    in_page = sorted(drawn, key=lambda one: (one.kind != "flow", not one.of, order.index(one.of)))
    found, n = {}, 0
    for one in in_page:
        n += one.drawing is not None
        found[one.name] = _placed(one, n)
    return found


def _placed(drawn: Drawn, number: int) -> _Placed:
    if drawn.drawing is None:
        title = NAMES[drawn.kind]
        return _Placed(number=0, anchor=f"figure-{drawn.name}", title=title, caption="", alt="", svg="", why_not=sentence(drawn.why_not))
    one = drawn.drawing
    caption = (
        "" if isinstance(one, Chart) else "One person: leave this figure out of what you pass on if ids or dates could tell who it is."
    )
    return _Placed(
        number=number,
        anchor=f"figure-{drawn.name}",
        title=one.title,
        caption=caption,
        alt=one.alt,
        svg=with_own_ids(one.svg, f"f{number}-"),
        why_not="",
    )


def with_own_ids(svg: str, prefix: str) -> str:
    """Return a drawing whose ids, and what refers to them, begin with a prefix: several drawings share one page.

    >>> with_own_ids('<g id="a" clip-path="url(#a)"/><use href="#a"/>', "f1-")
    '<g id="f1-a" clip-path="url(#f1-a)"/><use href="#f1-a"/>'
    """
    ids = set(re.findall(r'\sid="([^"]+)"', svg))

    def listed(match: re.Match[str]) -> str:
        names = " ".join(f"{prefix}{name}" if name in ids else name for name in match[2].split())
        return f'{match[1]}="{names}"'

    svg = re.sub(r'(\sid)="([^"]+)"', lambda match: f'{match[1]}="{prefix}{match[2]}"', svg)
    svg = re.sub(
        r"url\((['\"]?)#([^)'\"]+)\1\)", lambda match: f"url({match[1]}#{prefix if match[2] in ids else ''}{match[2]}{match[1]})", svg
    )
    svg = re.sub(r'(\s(?:xlink:)?href)="#([^"]+)"', lambda match: f'{match[1]}="#{prefix if match[2] in ids else ""}{match[2]}"', svg)
    return re.sub(r'(\saria-(?:labelledby|describedby))="([^"]+)"', listed, svg)


def outcomes_frame(result: StudyResult) -> pl.DataFrame:
    """Return one row an outcome: people with it, out of how many, person-years, competing events, left out, why there is none."""
    rows = []
    for key, one in result.outcomes.items():
        row: dict[str, object] = {"key": key, "outcome": one.aim.title, "why_not": one.why_not}
        if one.outcome is not None:
            row |= {"n": one.outcome.n_events, "out_of": one.outcome.n, "person_years": one.outcome.person_years}
            row |= {"competing": int((one.outcome.cause > 1).sum()), "left_out": sum(n for _, n in one.outcome.left_out)}
        rows.append(row)
    return pl.DataFrame(rows, schema=OUTCOME_SCHEMA)


def shown_outcomes(result: StudyResult) -> ShownTable:
    """Return the outcomes for people."""
    share = "n/N with it (share, 95 % interval)"
    columns = {
        "outcome": lambda row: row["outcome"],
        share: lambda row: "–" if row["n"] is None else proportion(row["n"], row["out_of"]).replace("95 % interval ", ""),
        "person-years": lambda row: years(row["person_years"]),
        "had a competing event": lambda row: number(row["competing"]),
        "not followed for it": lambda row: number(row["left_out"]),
        "why there is none": lambda row: row["why_not"],
    }
    right = (share, "person-years", "had a competing event", "not followed for it")
    shown = table_of(outcomes_frame(result).rows(named=True), columns, right=right, title="Outcomes, from time zero")
    return replace(shown, notes=(PERSON_YEARS,))


def counts_by_definition(result: StudyResult) -> Shares:
    """Return people and events of every label, a group a definition: the unconfirmed, undefined and undetermined beside PIRA and RAW."""
    parts = [event_counts(result.events, result.followed.people, one.key) for one in result.events.definitions]
    tables = [part.table.with_columns(group=pl.lit(one.key)) for one, part in zip(result.events.definitions, parts, strict=True)]
    return Shares(
        title="Events under each definition",
        method=parts[0].method if parts else "",
        table=pl.concat(tables) if tables else pl.DataFrame(schema=SHARE_SCHEMA),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _shown_counts(result: StudyResult) -> tuple[ShownTable, ...]:
    """Return the counts of the definitions that no analysis counts as a whole."""
    counts = [part for part in result.study.analysis if isinstance(part, CountsAnalysis) and part.by is None]
    counted_later = {part.definition for part in counts}
    definitions = [one for one in result.events.definitions if one.key not in counted_later]
    found = counts_by_definition(replace(result, events=replace(result.events, definitions=tuple(definitions))))
    title = f"Under {definitions[0].title} [{definitions[0].key}]" if len(definitions) == 1 else found.title
    tables = shown_tables(found, "under")
    return tuple(replace(table, title=table.title or title) for table in tables)


def _shown_flow(result: StudyResult) -> ShownTable:
    columns = {
        "step": lambda row: row["text"],
        "left out": lambda row: number(row["left_out"]),
        "of them not known": lambda row: number(row["unknown"]),
        "remaining": lambda row: number(row["remaining"]),
        "note": lambda row: row["note"],
    }
    rows = result.followed.flow_frame().rows(named=True)
    return table_of(rows, columns, right=("left out", "of them not known", "remaining"), title="Who entered")


def ends_frame(result: StudyResult) -> pl.DataFrame:
    """Return one row an outcome and reason: how many people were observed up to it."""
    rows = [("observation", reason, n) for reason, n in _sorted(Counter(result.followed.people["end_reason"].to_list()))]
    for outcome in result.made().values():
        rows += [(outcome.name, reason, n) for reason, n in _sorted(reason_counts(outcome))]
    return pl.DataFrame(rows, schema={"of": pl.String, "reason": pl.String, "people": pl.Int64}, orient="row")


def _sorted(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def _shown_ends(result: StudyResult) -> ShownTable:
    """Return why observation ended, a column an outcome."""
    frame = ends_frame(result)
    names = frame["of"].unique(maintain_order=True).to_list()
    counts = {(of, reason): n for of, reason, n in frame.iter_rows()}
    reasons = frame["reason"].unique(maintain_order=True)
    rows = tuple((reason, *(number(counts.get((name, reason), 0)) for name in names)) for reason in reasons)
    total = ("everybody", *(number(sum(n for (of, _), n in counts.items() if of == name)) for name in names))
    return ShownTable(title="How the observation of people ended", head=("reason", *names), rows=(*rows, total), right=frozenset(names))


def _analysis(result: StudyResult, finding: Finding, placed: Sequence[_Placed]) -> dict[str, Any]:
    group = group_title(result, finding)
    several = len(finding.estimates) > 1
    titles = Counter(one.title for one in finding.estimates)
    told = []
    for one in finding.estimates:
        tables = list(shown_tables(one, group))
        if not several and tables and not tables[0].title and one.title != finding.analysis.title:
            tables[0] = replace(tables[0], title=one.title)
        title = _capital(f"{one.title}: {_models(one)}" if titles[one.title] > 1 else one.title)
        told.append(_Told(title=title if several else "", tables=tuple(tables), notes=tuple(sentence(note) for note in one.notes)))
    why_not = sentence(finding.why_not)
    return {"anchor": f"analysis-{finding.key}", "title": finding.analysis.title, "why_not": why_not, "estimates": told, "figures": placed}


def _models(estimate: Estimate) -> str:
    """Return the models of an estimate, which tell it from another of the same title."""
    return ", ".join(estimate.table["model"].unique(maintain_order=True)) if isinstance(estimate, Effects) else estimate.method


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def shown_items(frame: pl.DataFrame) -> ShownTable:
    """Return the reporting items for people; number and item stand once."""
    rows, before = [], None
    several = (frame["definition"] != "all").any()
    for number_, item, definition, answer, known in frame.iter_rows():
        first = ("", "") if number_ == before else (str(number_), item)
        before = number_
        for_whom = ("" if definition == "all" else definition,) if several else ()
        rows.append((*first, *for_whom, answer, known))
    head = ("", "item", *(("definition",) if several else ()), "answer", "how it is known")
    return ShownTable(title="", head=head, rows=tuple(rows))


def _aside(result: StudyResult) -> str:
    """Return who was set aside because of faults, without names."""
    aside = result.cohort.set_aside
    if not aside:
        return "Nobody was set aside because of faults."
    reasons = ", ".join(f"{reason.replace('-', ' ')} {n:,}" for reason, n in _sorted(Counter(reason for _, reason in aside)))
    return f"Set aside because of faults: {counted(len(aside), 'person', 'people')} ({reasons})."


def _checked(result: StudyResult) -> list[tuple[str, list[str]]]:
    """Return what was found in the tables, by level, without ids: how many rows and people each concerns."""
    found = []
    for level in LEVELS:
        told = []
        for one in result.cohort.report.of_level(level):
            where = f"{one.table}.{one.column}" if one.column else one.table
            cases = f" ({counted(one.cases.height, 'case')}, {counted(len(one.patients), 'person', 'people')})" if one.cases.height else ""
            told.append(f"{where}: {one.problem} {one.advice}".strip() + cases)
        if told:
            found.append((f"{level.capitalize()}s", told))
    return found


def _shown_provenance(result: StudyResult) -> ShownTable:
    known = result.provenance
    versions = software()
    rows = [
        ("Smoulder", versions["smoulder"]),
        ("Python and libraries", ", ".join(f"{name} {versions[name]}" for name in ("python", *LIBRARIES))),
        ("study", result.study.key),
        ("hash of the cohort (SHA-256)", known.input_sha256),
        ("people, visits, relapses in the tables", f"{known.n_patients:,}, {known.n_visits:,}, {known.n_relapses:,}"),
        ("relapses were", {"none": "stated as none"}.get(known.relapse_knowledge, known.relapse_knowledge)),
    ]
    return ShownTable(title="", head=("what", "value"), rows=tuple(rows))


def _in_full(result: StudyResult, extra: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return heading and text of everything that is given in full."""
    told = [("The study in full (study.toml)", result.study.toml())]
    for one in result.events.definitions:
        known = "".join(f"\n# Known trap: {text}" for text in traps(one))
        told.append((f"The definition {one.key} in full (definitions/{one.key}.toml)", one.toml() + known))
    if extra:
        told.append(("How the tables were read", json.dumps(dict(extra), indent=1, ensure_ascii=False, sort_keys=True)))
    return told
