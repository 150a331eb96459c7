"""On which days a definition cannot find a PIRA, because a relapse is near: what contaminates any effect of relapses on PIRA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smoulder.analysis.episodes import Span, merged
from smoulder.rulebook.model import Definition


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """The days around a relapse on which no PIRA can begin."""

    before_days: int
    """Days before the relapse: their relapse-free interval would reach it."""
    after_days: int
    """Days after it."""
    unbounded: tuple[str, ...]
    """Relapse-free intervals whose length depends on the visits and is only counted as far as it is known, as text."""

    def spans(self, relapse_days: Mapping[str, Sequence[int]]) -> dict[str, list[Span]]:
        """Return patient -> stretches (first, last] of days that are blocked; relapses as days from time zero."""
        return {
            patient: merged([(day - self.before_days - 1, day + self.after_days) for day in days]) for patient, days in relapse_days.items()
        }

    def sentence(self) -> str:
        """Return what is blocked, and why it matters, in words."""
        whole = (
            f"By definition no PIRA can begin from {self.before_days} days before a relapse to {self.after_days} days after it, so "
            "relapses seem to protect for as long, whatever the disease does; that a day lies before a relapse is known only afterwards."
        )
        if not self.unbounded:
            return whole
        listed = "; ".join(f"'{text}'" for text in self.unbounded)
        return f"{whole} Some intervals depend on when the visits are ({listed}) and block more days than are counted here."


def blocked_days(definition: Definition) -> Blocked:
    """Return the days around a relapse on which no PIRA can begin, from the windows of a definition: only those that are certain.

    An interval such as onset-90 .. onset+30 blocks an onset from 30 days before a relapse to 90 days after it. Visits before onset are
    taken to be at onset. Of an interval at the confirming visit only that part counts which lies in it whichever visit confirms: a
    worsening that a relapse keeps from being PIRA at one visit may be PIRA at a later one, so that confirmation-90 .. confirmation+30
    blocks nothing for certain where confirmation has no latest day. The RAW windows block too where RAW excludes PIRA, and so does the
    distance that an onset keeps from relapses (which puts a worsening off to a later visit and does not hide it). Definitions that re-set
    the reference after a relapse also hide what happened up to that visit; this is not counted here.
    """
    rule = definition.relapses
    if rule is None:
        return Blocked(before_days=0, after_days=0, unbounded=())
    windows = definition.confirmation.windows
    first = min((window.from_day for window in windows), default=0)
    last = None if any(window.to_day is None for window in windows) else max((window.to_day or 0 for window in windows), default=0)
    late = ("confirmation", "last holding visit")
    onset = definition.onset
    parts = [(1 - onset.days_after_relapse, onset.days_before_relapse - 1)]
    if rule.raw is not None and rule.exclusive:
        parts.append((-rule.raw.days_before_onset, rule.raw.days_after_onset))
    unbounded = []
    for interval in (*rule.relapse_free, *(rule.raw_in if rule.exclusive else ())):
        held = interval.start == "last holding visit"
        start = None if held or (interval.start in late and last is None) else interval.start_days + (last or 0) * (interval.start in late)
        if start is not None:
            parts.append((start, interval.end_days + first * (interval.end in late)))
        if start is None or interval.start in ("baseline", "last meaningful visit", "previous visit") or interval.end in late:
            unbounded.append(str(interval))
    before = after = 0
    # In days from onset, so that what is before a relapse has the sign of after; the parts that reach the day of onset first.
    for start, end in sorted(part for part in parts if part[0] <= part[1]):
        if start <= before + 1:
            before, after = max(before, end), max(after, -start)
    return Blocked(before_days=before, after_days=after, unbounded=tuple(dict.fromkeys(unbounded)))
