"""How many people and events of each label, with what they are out of, and what was no event beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from smoulder.analysis.rates import shares
from smoulder.analysis.words import grouped
from smoulder.estimates import DAYS_A_YEAR, SHARE_SCHEMA, Shares, as_frame
from smoulder.events import LABEL_LINES, REASONS, Events, possible_labels
from smoulder.rulebook.model import Definition

AMONG = "of people with any worsening: "
"""Begins the rows that split the people with a worsening by what they had."""


def event_counts(events: Events, people: pl.DataFrame, definition: str, *, by: str | None = None) -> Shares:
    """Return people and events of every label of a definition, of each group of column `by`.

    Parameters
    ----------
    events
        Those of the time that counts, such as `within_observation` leaves.
    people
        patient, zero_day, last_visit_day and groups: everybody who is counted, with and without events.
    definition
        Key of a definition of `events`.

    Returns
    -------
    Of a composite that looks for the first event only the earliest one of each person counts.

    People with any event of a kind out of all people of the group, with person-years to the last visit; those with a worsening split by
    what they had (each person once, as Kappos 2020 tells RAW, PIRA, both and neither); then the numbers of events, and of the worsenings
    that are no event by reason, which are out of nothing. Without a table of relapses nothing is said of PIRA and RAW.
    """
    chosen = next(one for one in events.definitions if one.key == definition)
    table, unconfirmed = events.of(definition), events.unconfirmed.filter(pl.col("definition") == definition)
    worsening = table.filter(pl.col("kind") == "worsening")
    if chosen.is_composite and chosen.looking_for.startswith("first"):
        # Each measure has a first event of its own; that of the person is the earliest.
        worsening = worsening.filter("composite")
    groups, notes = grouped(people, by)
    told_apart = events.provenance.relapse_knowledge != "unknown"
    rows: list[tuple[str, str, int, int, float | None]] = []
    numbers: list[dict[str, Any]] = []
    days = (people["last_visit_day"] - people["zero_day"]).to_numpy()
    for name, mask in groups:
        mine = people["patient"].filter(pl.Series(mask))
        n, years = len(mine), float(days[mask].sum(dtype=np.int64)) / DAYS_A_YEAR
        here = worsening.filter(pl.col("patient").is_in(mine.implode()))
        parts = [*_parts(chosen, here, told_apart=told_apart)]
        if chosen.finds_improvement:
            better = table.filter((pl.col("kind") == "improvement") & pl.col("patient").is_in(mine.implode()))
            parts.append(("confirmed improvement", better))
        rows += [(name, f"people with {what}", part["patient"].n_unique(), n, years) for what, part in parts]
        if chosen.labelled and told_apart and chosen.looking_for not in ("first improvement", "first PIRA", "first RAW"):
            rows += [(name, f"{AMONG}{what}", n_had, n_worse, None) for what, n_had, n_worse in _among(chosen, here)]
        missed = unconfirmed.filter((pl.col("kind") == "worsening") & pl.col("patient").is_in(mine.implode()))
        had = set(here["patient"].to_list())
        for reason in REASONS:
            who = set(missed.filter(pl.col("reason") == reason)["patient"].to_list()) - had
            rows.append((name, f"people with none, but a worsening that is no event: {reason}", len(who), n, years))
        numbers += [{"group": name, "what": f"events: {what}", "n": part.height, "person_years": years} for what, part in parts]
        numbers += [
            {"group": name, "what": f"worsenings that are no event: {reason}", "n": missed.filter(pl.col("reason") == reason).height}
            for reason in REASONS
        ]
    found = shares(rows, f"Events under {chosen.title} [{chosen.key}]")
    return Shares(
        title=found.title,
        method=f"People were counted once for each kind of event. {found.method} Person-years are those of everybody from time zero to the "
        "last visit, also after an event; rates of first events count the time up to the event.",
        table=pl.concat([found.table, as_frame(numbers, SHARE_SCHEMA)]),
        notes=(*notes, *found.notes, *_notes(chosen, events, worsening)),
    )


def _parts(definition: Definition, worsening: pl.DataFrame, *, told_apart: bool) -> list[tuple[str, pl.DataFrame]]:
    """Return the kinds of worsening in words, and their events; without a table of relapses only what is known: none is a PIRA or a RAW,
    and none is known not to be."""
    any_kind = "confirmed worsening" if definition.confirmation.windows else "worsening"
    parts = [(any_kind, worsening)] if definition.looking_for not in ("first improvement", "first PIRA", "first RAW") else []
    labels: Sequence[str] = possible_labels(definition) if definition.labelled else ()
    labels = labels if told_apart else [label for label in labels if label == "undetermined worsening"]
    return [*parts, *((label, worsening.filter(LABEL_LINES[label].fill_null(False))) for label in labels)]


def _among(definition: Definition, worsening: pl.DataFrame) -> list[tuple[str, int, int]]:
    """Return the people with a worsening by what they had: in words, how many, out of how many; nothing where nobody had one."""
    flags = worsening.group_by("patient").agg(
        pira=pl.col("pira").fill_null(False).any(),
        raw=pl.col("raw").fill_null(False).any(),
        unsure=(pl.col("label") == "undetermined").any(),
    )
    if not flags.height:
        return []
    pira, raw, unsure = pl.col("pira"), pl.col("raw"), pl.col("unsure")
    tells_raw = "RAW" in possible_labels(definition)
    classes = {
        "PIRA and no RAW" if tells_raw else "PIRA": pira & ~raw,
        "RAW and no PIRA": raw & ~pira,
        "both RAW and PIRA, at once or one after the other": raw & pira,
        "neither": ~pira & ~raw & ~unsure,
        "neither, as far as is known (undetermined)": ~pira & ~raw & unsure,
    }
    found = [(what, flags.filter(those).height, flags.height) for what, those in classes.items()]
    return [row for row in found if tells_raw or "RAW" not in row[0]]


def _notes(definition: Definition, events: Events, worsening: pl.DataFrame) -> tuple[str, ...]:
    notes = []
    if definition.labelled and events.provenance.relapse_knowledge == "unknown":
        notes.append("There is no table of relapses, so RAW and PIRA could not be told apart: all worsening is undetermined.")
    undetermined = worsening.filter(pl.col("label") == "undetermined").height
    if undetermined and events.provenance.relapse_knowledge != "unknown":
        notes.append(
            f"{undetermined:,} of {worsening.height:,} worsenings are undetermined, as relapses were not recorded all the time: there may "
            "be more PIRA and RAW than were counted."
        )
    both = worsening.filter(pl.col("raw") & pl.col("pira")).height
    if both:
        notes.append(f"{both:,} of {worsening.height:,} worsenings are both RAW and PIRA by this definition, so the two do not add up.")
    return tuple(notes)
