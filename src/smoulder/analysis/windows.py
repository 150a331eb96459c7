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
    """Return the days around a relapse on which no PIRA can begin, from the windows of a definition.

    An interval such as onset-90 .. onset+30 blocks an onset from 30 days before a relapse to 90 days after it. The confirming visit is
    taken to come as early as it may; visits before onset are taken to be at onset: so the blocked days are the fewest that are certain.
    The RAW window blocks too where RAW excludes PIRA. Definitions that re-set the reference after a relapse also hide what happened up to
    that visit; this is not counted here.
    """
    rule = definition.relapses
    if rule is None:
        return Blocked(before_days=0, after_days=0, unbounded=())
    windows = definition.confirmation.windows
    confirmed = min((window.from_day for window in windows), default=0)
    before = after = 0
    unbounded = []
    for interval in rule.relapse_free:
        start = interval.start_days + (confirmed if interval.start in ("confirmation", "last holding visit") else 0)
        end = interval.end_days + (confirmed if interval.end in ("confirmation", "last holding visit") else 0)
        if interval.start in ("baseline", "last meaningful visit", "previous visit") or interval.end == "last holding visit":
            unbounded.append(str(interval))
        before, after = max(before, end), max(after, -start)
    if rule.raw is not None and rule.exclusive:
        before, after = max(before, rule.raw.days_after_onset), max(after, rule.raw.days_before_onset)
    return Blocked(before_days=before, after_days=after, unbounded=tuple(unbounded))
