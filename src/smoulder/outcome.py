"""What an algorithm beside the scan finds: `Outcome`, a table with its rule, its counts and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from smoulder.errors import counted
from smoulder.events import Proportion
from smoulder.provenance import Provenance
from smoulder.rulebook.parts import Part
from smoulder.terms import Calendar


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """One outcome of a cohort, such as secondary progression, NEDA or relapse rates."""

    name: str
    """What it is, in a few words."""
    table: pl.DataFrame
    """One row a patient (or patient and period), sorted by patient; all columns are there also with nothing found."""
    rule: Part
    """The rule in full, as it ran; its `prose()` is the methods paragraph."""
    methods: str
    """The rule in words."""
    counts: tuple[tuple[str, Proportion], ...]
    """Line and share, each with what it is out of."""
    notes: tuple[str, ...] = ()
    """What else the reader must know, as sentences."""
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Patient -> why, step by step, in sentences; only of the patients that were asked for."""
    calendar: Calendar
    provenance: Provenance

    def __repr__(self) -> str:
        return f"<Outcome: {self.name}, {counted(self.table.height, 'row')}>"

    def dated(self) -> pl.DataFrame:
        """Return the table with dates where the cohort has dates: reached_date for reached_day."""
        if self.calendar == "day":
            return self.table
        days = [name for name in self.table.columns if name == "day" or name.endswith("_day")]
        frame = self.table.with_columns(pl.col(day).cast(pl.Date) for day in days)
        return frame.rename({day: f"{day[:-3]}date" for day in days})

    def text(self) -> str:
        """Return the outcome in words: the rule, each share with what it is out of, and the notes."""
        lines = [self.name, f"  {self.methods}"]
        lines += [f"  {line}: {share.text()}" for line, share in self.counts]
        lines += [f"  note: {note}" for note in self.notes]
        for patient, sentences in self.reasons.items():
            lines += ["", f"Patient {patient}", *(f"  {sentence}" for sentence in sentences)]
        return "\n".join(lines)
