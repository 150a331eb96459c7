"""What a report says in sentences: what was found, the methods, the limits and what could not be done."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import polars as pl

from smoulder._version import __version__
from smoulder.errors import agreed, counted
from smoulder.estimates import DAYS_A_YEAR, Curve, Effects, SurvivalOutcome
from smoulder.events import REASONS
from smoulder.rulebook import Definition
from smoulder.studying.formatting import (
    EACH_ALONE,
    p_sentence,
    people_without_event,
    percent,
    proportion,
    ratio,
    sentence,
    time,
    with_limits,
    years,
)
from smoulder.studying.result import Finding, StudyResult

LIBRARIES = ("numpy", "polars", "survival", "statsmodels")
"""Of others, what numbers of a report are computed with."""
LEAST_AT_RISK = 10
"""People of a group who must still be followed at a day at which the first sentences read a curve."""
LEAST_EVENTS = 5
"""Events on either side from which the first sentences tell an effect; tables have all (ours)."""
MOST_CONTRASTS = 2
"""Levels, besides the one compared with, up to which the first sentences tell the effect of a group."""
MOST_OUTCOMES = 3
"""Outcomes told in the first sentences; tables have all."""


def software() -> dict[str, str]:
    """Return the version of this program, of Python and of the libraries that compute numbers."""
    found = {"smoulder": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # such as a library that was put on the path by hand
            found[name] = "unknown"
    return found


def main_sentences(result: StudyResult) -> tuple[str, ...]:
    """Return what was found in a few plain sentences, made from the numbers."""
    followed, made = result.followed, result.made()
    entered = (
        f"{followed.n:,} of {followed.flow[0].remaining:,} people in the tables entered and were observed for "
        f"{years(observed_years(result))} person-years."
    )
    said = [*result.unlike_published, entered]
    said += [outcome_sentence(outcome) for outcome in list(made.values())[:MOST_OUTCOMES]]
    said += [beside_sentence(result, one) for one in result.events.definitions[:1]]
    said += _first_curve(result)
    said += _first_effect(result)
    return tuple(said)


def observed_years(result: StudyResult) -> float:
    """Return the person-years from time zero to the end of observation of everybody who entered."""
    people = result.followed.people
    return int((people["end_day"] - people["zero_day"]).cast(pl.Int64).sum()) / DAYS_A_YEAR


def outcome_sentence(outcome: SurvivalOutcome) -> str:
    """Return an outcome as 'First PIRA: 44/180 people (24.4 %, ...) in 812 person-years.'"""
    share = proportion(outcome.n_events, outcome.n).replace(" (", " people (", 1)
    competing = [
        f"{int((outcome.cause == number).sum()):,} had {cause} first"
        for number, cause in enumerate(outcome.causes[1:], start=2)
        if (outcome.cause == number).any()
    ]
    left = sum(n for _, n in outcome.left_out)
    more = [*competing, *([f"{left:,} could not be followed for it"] if left else [])]
    beside = f" ({'; '.join(more)})" if more else ""
    return sentence(f"{outcome.name}: {share} in {years(outcome.person_years)} person-years{beside}")


def beside_sentence(result: StudyResult, definition: Definition) -> str:
    """Return what stands beside the PIRA and the RAW of a definition: undetermined, undefined, unconfirmed."""
    worsening = result.events.of(definition.key).filter(pl.col("kind") == "worsening")
    labels = [f"{name}: {int((worsening['label'] == name).sum()):,}" for name in ("undetermined", "undefined")]
    labelled = f" ({', '.join(labels)})" if definition.labelled else ""
    missed = result.events.unconfirmed.filter((pl.col("definition") == definition.key) & (pl.col("kind") == "worsening"))
    reasons = [f"{reason}: {int((missed['reason'] == reason).sum()):,}" for reason in REASONS]
    return (
        f"Under the definition {definition.key} there were {counted(worsening.height, 'worsening event')}{labelled}; beside them "
        f"{counted(missed.height, 'worsening')} {agreed(missed.height, 'was', 'were')} no event ({', '.join(reasons)})."
    )


def _first_curve(result: StudyResult) -> list[str]:
    """Return the first curve that is read at a day, at the last such day at which enough people of every group are still followed."""
    for finding in result.findings:
        for curve in finding.estimates:
            if not isinstance(curve, Curve) or curve.kind == "mean count" or not curve.at_days.height:
                continue
            cause = curve.at_days["cause"][0]
            read = curve.at_days.filter(curve.at_days["cause"] == cause)
            n_groups = read["group"].n_unique()
            enough = read.filter(read["estimate"].is_not_null() & (read["at_risk"] >= LEAST_AT_RISK))
            days = [day for day in enough["day"].unique().sort() if enough.filter(enough["day"] == day).height == n_groups]
            if not days:
                continue
            rows = enough.filter(enough["day"] == days[-1]).rows(named=True)
            group = group_title(result, finding)
            without = [people_without_event(curve, row) for row in rows]
            if all(n is not None for n in without):
                n = sum(n for n in without if n is not None)
                return [sentence(f"By {time(days[-1])} none of {counted(n, 'person', 'people')} had the event ({curve.outcome})")]
            told = "; ".join(
                (_at(row) if n is None else f"not to be told, as none of {n:,} had it by then,")
                + (f" for {group} {row['group']}" if n_groups > 1 else "")
                for row, n in zip(rows, without, strict=True)
            )
            what = f"free of {curve.outcome}" if curve.kind == "survival" else f"with {cause} ({curve.outcome})"
            tests = [
                f" ({row['test'].lower()}: {p_sentence(row['p'])})" for row in curve.tests.iter_rows(named=True) if row["p"] is not None
            ]
            return [sentence(f"At {time(days[-1])} the estimated share {what} was {told}{''.join(tests[:1])}")]
    return []


def group_title(result: StudyResult, finding: Finding) -> str:
    """Return what the groups of an analysis are groups of, in words."""
    by = getattr(finding.analysis, "by", None)
    return result.study.named(by).title if by else "group"


def _at(row: dict[str, Any]) -> str:
    return _named_limits(with_limits(row, percent))


def _named_limits(text: str) -> str:
    """Return 'x (a to b)' as 'x (95 % limits a to b)'."""
    return text if text.endswith("(no limits)") else text.replace("(", "(95 % limits ", 1)


def _first_effect(result: StudyResult) -> list[str]:
    """Return the effect of the first term of a model that rests on enough events, under every model of its analysis, as a sentence."""
    instead = ""
    for finding in result.findings:
        several = [one for one in finding.estimates if isinstance(one, Effects)]
        for effects in several:
            rows = effects.table.filter(pl.col("estimate").is_not_null() & (pl.col("model") != EACH_ALONE))
            if not rows.height:
                continue
            row = rows.row(0, named=True)
            if _is_worth_telling(effects, row):
                return [_effect_sentence(several, row)]
            against = _compared_with(effects, row)
            beside = "" if against is None else f" against {against['events']:,} in {against['n']:,}"
            instead = instead or sentence(
                f"{row['outcome']}, {row['term']}: no effect is told here, as it rests on too few events, or is one of many "
                f"({counted(row['events'], 'event')} in {counted(row['n'], 'person', 'people')}{beside}); the tables have it"
            )
    return [instead] if instead else []


def _is_worth_telling(effects: Effects, row: dict[str, Any]) -> bool:
    """Return whether an effect rests on enough events, on both sides where it compares two levels, and is one of few."""
    if not row["level"]:
        return row["events"] >= 2 * LEAST_EVENTS
    against = _compared_with(effects, row)
    same = (pl.col("model") == row["model"]) & (pl.col("outcome") == row["outcome"]) & (pl.col("term") == row["term"])
    few = effects.table.filter(same).height <= MOST_CONTRASTS
    return few and against is not None and min(row["events"], against["events"]) >= LEAST_EVENTS


def _compared_with(effects: Effects, row: dict[str, Any]) -> dict[str, Any] | None:
    same = ("model", "outcome", "term")
    return next((one for one in effects.references.iter_rows(named=True) if all(one[name] == row[name] for name in same)), None)


def _effect_sentence(several: Sequence[Effects], row: dict[str, Any]) -> str:
    """Return an effect under all models of its analysis, with the people and events that it rests on."""
    level = f"{row['term']}: {row['level']} against {row['against']}" if row["level"] else f"{row['term']}, {row['against']}"
    same = ("outcome", "term", "level", "against")
    told = []
    rests_on = ""
    for effects in several:
        for one in effects.table.filter(pl.col("estimate").is_not_null() & (pl.col("model") != EACH_ALONE)).iter_rows(named=True):
            if any(one[name] != row[name] for name in same):
                continue
            told.append(f"{effects.scale} {_named_limits(with_limits(one, ratio))}, {p_sentence(one['p'])} ({one['model']} model)")
            against = _compared_with(effects, one)
            beside = "" if against is None else f" against {against['events']:,} in {counted(against['n'], 'person', 'people')}"
            rests_on = rests_on or f"{counted(one['events'], 'event')} in {counted(one['n'], 'person', 'people')}{beside}"
    return sentence(f"{row['outcome']}, {level} ({rests_on}): {'; '.join(told)}")


def methods_paragraphs(result: StudyResult) -> tuple[str, ...]:
    """Return the methods: design, each definition, statistics, software."""
    study = result.study
    said = [study.prose()]
    for one in result.events.definitions:
        source = f" Source: {one.source.citation.removesuffix('.')}." if one.source.citation else ""
        said.append(f"{one.title} [{one.key}]. {one.prose()}{source}")
    told = [sentence(estimate.method) for finding in result.findings for estimate in finding.estimates]
    ways = _once(part for text in told for part in re.split(r"(?<=\.) (?=[A-Z])", text))
    said.append(" ".join(["Statistics.", *ways]))
    versions = software()
    libraries = ", ".join(f"{name} {versions[name]}" for name in LIBRARIES)
    said.append(
        f"Everything was computed with Smoulder {versions['smoulder']} on Python {versions['python']} ({libraries}). The definitions in "
        "full, the study and the hashes of the tables that were read are part of the report."
    )
    return tuple(said)


def methods_paragraph(result: StudyResult) -> str:
    """Return the methods as one text, for a paper."""
    return "\n\n".join(methods_paragraphs(result))


def limits(result: StudyResult) -> dict[str, tuple[str, ...]]:
    """Return what a reader must know before relying on a number: heading -> sentences, none twice; headings without any are left out."""
    undone = [f"{one.aim.title}: {one.why_not}" for one in result.outcomes.values() if one.why_not]
    undone += [f"{one.analysis.title}: {one.why_not}" for one in result.findings if one.why_not]
    design = _once(sentence(text) for text in result.study.limits)
    warned = _once(sentence(text) for text in result.warnings)
    noted = [note for one in result.made().values() for note in one.notes]
    noted += [note for finding in result.findings for estimate in finding.estimates for note in estimate.notes]
    found = {
        "What this design cannot answer": design,
        "Known traps of the definitions, and gaps, on these tables": warned,
        "Notes of the analyses": [note for note in _once(sentence(text) for text in noted) if note not in (*design, *warned)],
        "What could not be done": _once(sentence(text) for text in undone),
    }
    return {heading: tuple(sentences) for heading, sentences in found.items() if sentences}


def _once(sentences: Iterable[str]) -> list[str]:
    """Return sentences without those said before and without empty ones."""
    return list(dict.fromkeys(text for text in sentences if text))
