"""From terms to the columns of a model: who has all values, which levels have events, and what cannot be estimated and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.analysis.library import Floats, Integers
from smoulder.analysis.words import as_levels, listed, need_column, people, sentence
from smoulder.errors import UsageError, agreed, counted, unknown
from smoulder.estimates import Term

Counts = Integers | NDArray[np.bool_]
"""Events of each row: how many, or whether."""

EVENTS_PER_COEFFICIENT = 10
"""Fewer events a coefficient than this are told to the reader (Peduzzi 1995, J Clin Epidemiol 48:1503)."""

ALIAS_TOLERANCE = 1e-7
"""Share of a column's length that the other columns leave unexplained, below which it is a combination of them; as in R's lm."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One estimate that was asked for: a level of a term, or a number."""

    term: str
    level: str
    against: str
    n: int
    events: int
    column: int | None
    """Its column of `Design.x`; None where there is nothing to estimate."""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The level of a term that the others are compared with."""

    term: str
    level: str
    n: int
    events: int
    note: str
    """The same as a sentence."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """The rows and columns of one model."""

    complete: NDArray[np.int64]
    """Rows of the frame with a value of every term."""
    rows: NDArray[np.int64]
    """(m,) rows of the frame that the model is fitted to: those of `complete` whose levels all have an estimate."""
    x: Floats
    """(m, k) one column a coefficient; numbers divided by the step that their effect is stated for."""
    slots: tuple[Slot, ...]
    assign: tuple[tuple[str, tuple[int, ...]], ...]
    """Terms that have columns, and which."""
    events: int
    notes: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    """Of the terms of groups, where a model could be thought of; their sentences are in `notes`."""

    @property
    def impossible(self) -> str:
        """Why nothing can be fitted; empty where something can."""
        return "" if self.x.shape[1] else "nothing to estimate"


@dataclass(frozen=True, kw_only=True)
class Words:
    """How one kind of model names what it counts."""

    event: str = "event"
    plural: str = "events"
    needs_both: bool = False
    """Whether a level in which everyone has the event has no estimate either (logistic models)."""

    def counted(self, n: int) -> str:
        """Return a number of events in words."""
        return counted(n, self.event, self.plural)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Encoded:
    """One term, one value a row of the frame."""

    term: Term
    values: Floats | None
    """(n,) numbers, NaN where missing; None for groups."""
    levels: tuple[str, ...]
    codes: NDArray[np.int64]
    """(n,) level of each row, -1 where missing; for numbers 0, and -1 where missing."""


def build(
    frame: pl.DataFrame,
    terms: Sequence[Term],
    events: Counts,
    *,
    person: Integers | None = None,
    words: Words,
    model: str,
) -> Design:
    """Return the design of a model of `terms`, columns of `frame` (n rows).

    `events` (n,) counts the events of each row, `person` (n,) says whose row it is where a person has several. A level in which
    nobody has the event has no finite estimate; its people say nothing about the other terms either (at the limit of the likelihood
    they drop out), so they are left out and the level is told. Raises UsageError for columns and levels that do not exist.
    """
    encoded = [_encode(frame, term) for term in _checked(terms)]
    whose = np.arange(frame.height) if person is None else person
    complete = np.ones(frame.height, dtype=np.bool_)
    for one in encoded:
        complete &= one.codes >= 0
    notes = _missing_notes(encoded, complete, whose, model)

    n_events = int(events[complete].sum())
    if not complete.any() or n_events == 0 or (words.needs_both and n_events == int(complete.sum())):
        if not complete.any():
            why = "nobody has a value of every term" if frame.height else "there is nobody"
        else:
            why = f"there is no {words.event}" if n_events == 0 else f"everyone has the {words.event}"
        slots = _slots(encoded, complete, events, whose)
        return _empty(slots, why, n_events, notes)

    kept, barren = _without_barren(encoded, complete, events, needs_both=words.needs_both)
    slots = []
    columns: list[Floats] = []
    references: tuple[Reference, ...] = ()
    rows = np.flatnonzero(kept)
    for one in encoded:
        found, added = _columns_of(one, complete, rows, events, whose, barren, len(columns), words)
        slots += found
        columns += added
        if one.values is None:
            references += _reference_counts(one, found, complete, events, whose, words, model)
    notes += tuple(one.note for one in references)
    slots, columns = _without_aliases(slots, columns)
    x = np.column_stack(columns) if columns else np.zeros((rows.size, 0))
    dropped = np.unique(whose[complete]).size - np.unique(whose[rows]).size
    if dropped and columns:
        notes += (
            f"Model '{model}': {people(dropped)} in levels without an estimate {agreed(dropped, 'says', 'say')} nothing about the other "
            f"terms; the model is fitted to the other {np.unique(whose[rows]).size:,}.",
        )
    if columns:
        informative = min(n_events, int(complete.sum()) - n_events) if words.needs_both else n_events
        number = f"{people(informative)} of the rarer kind" if words.needs_both else words.counted(informative)
        if informative < len(columns):
            why = f"the model has {counted(len(columns), 'coefficient')} and only {number}"
            return replace(_empty([replace(slot, column=None) for slot in slots], why, n_events, notes), references=references)
        if informative < EVENTS_PER_COEFFICIENT * len(columns):
            notes += (
                f"Model '{model}': {number} for {counted(len(columns), 'coefficient')}, fewer than {EVENTS_PER_COEFFICIENT} each: "
                "estimates are unstable and likely too far from 1.",
            )
    assign = []
    for one in encoded:
        of_term = tuple(slot.column for slot in slots if slot.term == one.term.title and slot.column is not None)
        if of_term:
            assign.append((one.term.title, of_term))
    return Design(
        complete=np.flatnonzero(complete),
        rows=rows,
        x=x,
        slots=tuple(slots),
        assign=tuple(assign),
        events=n_events,
        notes=notes,
        references=references,
    )


def canonical(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return the rows in an order that depends on their values only, so that sums come out the same to the last bit."""
    return frame.sort(list(dict.fromkeys(columns)), nulls_last=True, maintain_order=True)


def _checked(terms: Sequence[Term]) -> Sequence[Term]:
    if isinstance(terms, Term) or not terms:
        raise UsageError("A model needs a list of terms, at least one, such as [Term(column='age', title='age', per=10, unit='years')].")
    titles = [term.title for term in terms]
    if len(set(titles)) < len(titles) or len({term.column for term in terms}) < len(terms):
        raise UsageError(f"Each term may be in a model once, under a title of its own; got {listed(titles)}.")
    return terms


def _encode(frame: pl.DataFrame, term: Term) -> _Encoded:
    need_column(frame, term.column)
    column = frame[term.column]
    if column.dtype.is_numeric():
        if not (math.isfinite(term.per) and term.per > 0):
            raise UsageError(f"The step of '{term.title}' must be above 0; got {term.per}.")
        values = column.cast(pl.Float64).fill_null(math.nan).to_numpy()
        if np.isinf(values).any():
            raise UsageError(f"Column '{term.column}' has infinite values; make them missing or leave those people out.")
        codes = np.where(np.isnan(values), -1, 0)
        return _Encoded(term=term, values=values / term.per, levels=(), codes=codes)
    if column.dtype == pl.Null:
        return _Encoded(term=term, values=None, levels=(), codes=np.full(frame.height, -1))
    levels, codes = as_levels(column)
    if term.reference is not None and term.reference not in levels and levels:
        raise UsageError(unknown(f"level of '{term.column}'", term.reference, levels))
    return _Encoded(term=term, values=None, levels=levels, codes=codes)


def _reference(one: _Encoded, among: NDArray[np.bool_]) -> str:
    """Return the level compared with: the one asked for, otherwise the first that somebody has."""
    if one.term.reference is not None:
        return one.term.reference
    present = [name for k, name in enumerate(one.levels) if (one.codes[among] == k).any()]
    return (present or list(one.levels) or [""])[0]


def _against(one: _Encoded, reference: str) -> str:
    if one.values is None:
        return reference
    step, unit = f"{one.term.per:g}", one.term.unit
    if one.term.per == 1 and unit.isalpha():
        unit = unit.removesuffix("s")
    return f"{step} {unit} more" if unit else f"{step} more"


def _count(mask: NDArray[np.bool_], events: Counts, whose: Integers) -> tuple[int, int]:
    return int(np.unique(whose[mask]).size), int(events[mask].sum())


def _slots(encoded: Sequence[_Encoded], complete: NDArray[np.bool_], events: Counts, whose: Integers) -> list[Slot]:
    """Return what would have been estimated, without columns."""
    slots = []
    for one in encoded:
        reference = _reference(one, complete)
        names = [("", complete)] if one.values is not None else [(name, complete & (one.codes == k)) for k, name in enumerate(one.levels)]
        for level, mask in names:
            if level != reference or one.values is not None:
                n, happened = _count(mask, events, whose)
                slots.append(Slot(term=one.term.title, level=level, against=_against(one, reference), n=n, events=happened, column=None))
        if one.values is None and len(one.levels) < 2:
            slots.append(Slot(term=one.term.title, level="", against=reference, n=int(complete.sum()), events=0, column=None))
    return slots


def _empty(slots: Sequence[Slot], why: str, events: int, notes: tuple[str, ...]) -> Design:
    told = tuple(slot if slot.why else replace(slot, why=sentence(why)) for slot in slots)
    nothing = np.zeros(0, dtype=np.int64)
    return Design(complete=nothing, rows=nothing, x=np.zeros((0, 0)), slots=told, assign=(), events=events, notes=notes)


def _without_barren(
    encoded: Sequence[_Encoded], complete: NDArray[np.bool_], events: Counts, *, needs_both: bool
) -> tuple[NDArray[np.bool_], dict[tuple[str, int], str]]:
    """Return the rows whose levels all have events (and, with `needs_both`, people without), and why the other levels have no estimate."""
    kept, barren = complete.copy(), {}
    while True:
        before = len(barren)
        for one in encoded:
            for k in range(len(one.levels)):
                mask = kept & (one.codes == k)
                n_rows, happened = int(mask.sum()), int(events[mask].sum())
                key = (one.term.column, k)
                if key in barren:
                    continue
                if n_rows and happened == 0:
                    barren[key] = "none"
                elif n_rows and needs_both and happened == n_rows:
                    barren[key] = "all"
                elif not n_rows:
                    barren[key] = "nobody" if not (complete & (one.codes == k)).any() else "nobody else"
                if key in barren:
                    kept &= one.codes != k
        if len(barren) == before:
            return kept, barren


def _columns_of(
    one: _Encoded,
    complete: NDArray[np.bool_],
    rows: NDArray[np.int64],
    events: Counts,
    whose: Integers,
    barren: dict[tuple[str, int], str],
    n_before: int,
    words: Words,
) -> tuple[list[Slot], list[Floats]]:
    """Return the slots of one term and its columns, numbered from `n_before`."""
    title = one.term.title
    if one.values is not None:
        n, happened = _count(complete, events, whose)
        slot = Slot(term=title, level="", against=_against(one, ""), n=n, events=happened, column=n_before)
        values = one.values[rows]
        if not values.size or values.min() == values.max():
            return [replace(slot, column=None, why="Everyone in the model has the same value of it.")], []
        return [slot], [values]

    reference = _reference(one, complete)
    at_reference = one.levels.index(reference) if reference in one.levels else -1
    said = {
        "none": f"no {words.event} among them",
        "all": f"all of them have the {words.event}",
        "nobody": "nobody is in it",
        "nobody else": "nobody is left in it beside people in other levels without an estimate",
    }
    # The contrasts with a reference that has no events are infinite, but the term still adjusts the others.
    fallback = [k for k in range(len(one.levels)) if (one.term.column, k) not in barren]
    base = at_reference if at_reference in fallback else (fallback[0] if fallback else -1)
    slots, columns = [], []
    for k, level in enumerate(one.levels):
        has_column = k in fallback and k != base
        if k == at_reference and not has_column:
            continue
        n, happened = _count(complete & (one.codes == k), events, whose)
        why, column = "", n_before + len(columns) if has_column else None
        if (one.term.column, k) in barren:
            why = f"No estimate for '{level}': {said[barren[one.term.column, k]]}."
        elif (one.term.column, at_reference) in barren:
            why = f"No estimate against '{reference}': {said[barren[one.term.column, at_reference]]}."
        elif not has_column:
            why = "Everyone in the model is in this level."
        if k != at_reference:
            slots.append(Slot(term=title, level=level, against=reference, n=n, events=happened, column=column, why=why))
        if has_column:
            columns.append((one.codes[rows] == k).astype(np.float64))
    if not slots:
        n, happened = _count(complete, events, whose)
        why = f"Everyone in the model is in one level, '{reference}'."
        slots.append(Slot(term=title, level="", against=reference, n=n, events=happened, column=None, why=why))
    return slots, columns


def _without_aliases(slots: list[Slot], columns: list[Floats]) -> tuple[list[Slot], list[Floats]]:
    """Take out columns that are combinations of the ones before them (and of a constant); R calls them aliased."""
    basis: list[Floats] = []
    moved: dict[int, int] = {}
    kept: list[Floats] = []
    for k, column in enumerate(columns):
        rest = column - column.mean()
        length = float(np.sqrt(rest @ rest))
        # Twice, because one pass of Gram-Schmidt leaves rounding behind.
        for _ in range(2):
            for other in basis:
                rest = rest - (other @ rest) * other
        left = float(np.sqrt(rest @ rest))
        if left > ALIAS_TOLERANCE * length:
            basis.append(rest / left)
            moved[k] = len(kept)
            kept.append(column)
    why = "It is a combination of the terms before it, so the two cannot be told apart; the others are estimated without it."
    slots = [
        slot
        if slot.column is None
        else replace(slot, column=moved[slot.column])
        if slot.column in moved
        else replace(slot, column=None, why=slot.why or why)
        for slot in slots
    ]
    return slots, kept


def _missing_notes(encoded: Sequence[_Encoded], complete: NDArray[np.bool_], whose: Integers, model: str) -> tuple[str, ...]:
    everyone = np.unique(whose).size
    n_left = everyone - np.unique(whose[complete]).size
    n_partly = np.unique(whose[~complete]).size - n_left
    counts = [(one.term.title, int(np.unique(whose[one.codes < 0]).size)) for one in encoded]
    named = ", ".join(f"{title} {n:,}" for title, n in counts if n)
    notes = []
    if n_left:
        notes.append(
            f"Model '{model}': {n_left:,} of {people(everyone)} {agreed(n_left, 'is', 'are')} left out because a value is missing "
            f"({named})."
        )
    if n_partly:
        notes.append(
            f"Model '{model}': {people(n_partly)} {agreed(n_partly, 'is', 'are')} in the model for a part of the time only, "
            f"because a value is missing for the rest ({named})."
        )
    return tuple(notes)


def _reference_counts(
    one: _Encoded,
    slots: Sequence[Slot],
    complete: NDArray[np.bool_],
    events: Counts,
    whose: Integers,
    words: Words,
    model: str,
) -> tuple[Reference, ...]:
    """Return the counts of the level compared with, which has no row of its own."""
    reference = slots[0].against
    if reference not in one.levels:
        return ()
    n, happened = _count(complete & (one.codes == one.levels.index(reference)), events, whose)
    note = f"Model '{model}', {one.term.title}: {people(n)} with {words.counted(happened)} in the level compared with, '{reference}'."
    return (Reference(term=one.term.title, level=reference, n=n, events=happened, note=note),)
