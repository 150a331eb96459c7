"""One patient as the reference engine reads it, and what both engines find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Record:
    """One patient and one measure: plain lists, in day order."""

    days: tuple[int, ...]
    """(n_visits,) days of the visits with this measure."""
    scores: tuple[int, ...]
    """(n_visits,) score units."""
    scheduled: tuple[bool, ...]
    """(n_visits,) whether each visit was planned."""
    relapses: tuple[int, ...]
    """Days of relapse onset, ascending."""
    relapses_known: bool
    """False where there is no relapse table."""
    covered_from: int | None
    covered_to: int | None
    """First and last day on which a relapse would have been recorded; None: no limit."""
    observed_from: int
    observed_to: int
    """First and last day on which a relapse is known to have been recorded: stated in the tables, else first to last visit."""
    time_zero: int | None
    """Day that counts as the start; None where not said."""
    systems: tuple[tuple[int | None, ...], ...] = ()
    """(n_visits, 8) scores of the functional systems, None where not measured; empty where a definition does not ask for them."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One event, or one change that is none; visits by their number in the record."""

    reason: int
    """0: an event; 1, 2, 3: why it is none (`events.REASONS`)."""
    worsening: bool
    label: int
    """`LABELS` position; 0 where not labelled."""
    raw: bool
    pira: bool
    onset: int
    onset_score: int
    baseline: int
    reference: int
    """Score units."""
    meaningful: int
    """Last meaningful visit; -1 for what is no event."""
    meaningful_score: int
    sustained_until: int
    """-1 for what is no event."""
    confirmations: tuple[int, ...]
    """A window each: its confirming visit, -1 for none."""
    pira_confirmations: tuple[int, ...]
    """A window each: the confirming visit at which the PIRA holds, -1 for none."""
    counted: bool
    """Whether it was counted without a confirming visit."""
    outside: bool
    """Whether it is PIRA only because days outside first to last visit were taken as free of relapses."""


LABELS: tuple[str | None, ...] = (
    None,
    "PIRA",
    "RAW",
    "RAW and PIRA",
    "undefined",
    "undetermined",
    "PIRA with relapse during confirmation",
)
NO_LABEL, PIRA, RAW, BOTH, UNDEFINED, UNDETERMINED, DURING = range(7)
