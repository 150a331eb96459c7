"""Named differences: what msprog and pymsprog are known to do otherwise, as scans that do it too.

A difference is explained only where our own scan, with one of these habits added, gives the peer's answer in every
column. Each habit cites the programs' own files (msprog at 77b905c: R/…; pymsprog 1.0.7: pymsprog/__init__.py); none is
part of the product.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from smoulder.engine.judgement import Change
from smoulder.engine.record import Found, Record
from smoulder.engine.reference import Scan
from smoulder.rulebook.model import Definition

Answer = list[Found]


@dataclass(frozen=True)
class Quirk:
    """One habit of a peer."""

    name: str
    why: str
    """Why our answer is right."""
    applies: Callable[[dict[str, Any]], bool]
    """Whether the settings of a configuration let the habit show."""
    record: Callable[[Record, Definition], Record] = lambda record, definition: record
    scan: type[Scan] = Scan


def without_early_relapses(record: Record, definition: Definition) -> Record:
    """Forget relapses more than the baseline distance before the first visit, as both programs do."""
    if not record.days:
        return record
    first = record.days[0] - definition.baseline.days_after_relapse
    return replace(record, relapses=tuple(relapse for relapse in record.relapses if relapse >= first))


class DecimalScan(Scan):
    """Compares percentages in binary fractions: 4.8 - 4.0 is 0.7999999999999998, less than 4.0 / 5."""

    def is_past(self, score: int, reference: int, *, worsening: bool) -> bool:
        threshold, points = self.rule.worsening, self.rule.spec().points
        x, base = points(score), points(reference)
        if threshold.percent is None:
            return super().is_past(score, reference, worsening=worsening)
        delta = base / 5 if threshold.percent == 20 else base * threshold.percent / 100
        if threshold.points is not None:
            delta = min(delta, threshold.points)
        change = (x - base) * self.sign * (1 if worsening else -1)
        return change >= delta

    def holds(self, visit: int, change: Change) -> bool:
        if change.needed == 1:
            return super().holds(visit, change)
        return self.is_past(self.scores[visit], change.reference, worsening=change.worsening)


class FirstListedWindowScan(Scan):
    """Goes on from the first confirming visit of the window that was listed first, not from the earliest one."""

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        fails = next((visit for visit in range(confirming + 1, self.last + 1) if not self.holds(visit, change)), self.last + 1)
        held = [visit for visit in self.eligible(change.onset) if visit < fails]
        for number in range(len(self.definition.confirmation.windows)):
            first = self.first_in_window(held, change.onset, number)
            if first >= 0:
                confirming = first
                break
        super().move_on(change, confirming, moves=moves, event=event)


class StaleRelapseScan(Scan):
    """Moves the baseline by the relapse that was next when the baseline was last set, also after it has moved on."""

    next_relapse: int | None = None

    def settle(self) -> bool:
        settled = super().settle()
        self.next_relapse = self.first_relapse_after(min(self.baseline, self.last))
        return settled

    def move_after_relapse(self) -> bool:
        if self.next_relapse is None:
            return False
        visit = next((at for at in range(self.baseline, self.last + 1) if self.days[at] >= self.next_relapse), None)
        if visit is None:
            return False
        self.baseline, self.search, self.moved_by_relapse = visit, visit + 1, True
        return True


class SmallCandidateScan(Scan):
    """Looks at changes below the threshold although they cannot move a baseline that does not move that way."""

    def look(self) -> int | None:
        for visit in range(self.search, self.last + 1):
            if self.scores[visit] != self.reference and self.far_enough_for_onset(visit):
                return visit
        return None


class UntilTwoScan(Scan):
    """Looks for the first event until there are two, and takes the earlier onset."""

    n_events = 0

    def confirmed(self, change: Change, eligible: list[int]) -> bool:
        before = self.n_events
        found = super().confirmed(change, eligible)
        self.n_events = before + (1 if found else 0)
        return found and self.n_events > 1


QUIRKS: tuple[Quirk, ...] = (
    Quirk(
        "early relapses forgotten",
        "a relapse in the RAW window or in a relapse-free interval counts, however long before the first visit it lies (their text gives "
        "relapse_to_bl as a distance of baselines alone); both programs drop relapses more than relapse_to_bl days before the first visit "
        "(R/MSprog.R and pymsprog/__init__.py, MSprog, relapse_id)",
        lambda args: True,
        record=without_early_relapses,
    ),
    Quirk(
        "decimal percentages",
        "a change of exactly the percentage counts (4.0 s to 4.8 s is 20 %); both programs miss some by binary rounding "
        "(R/event_testing.R and pymsprog/__init__.py, compute_delta, baseline/5, and is_event, x - baseline)",
        lambda args: args["outcome"] != "edss",
        scan=DecimalScan,
    ),
    Quirk(
        "first-listed window",
        "the baseline belongs at the earliest confirming visit (their text: the first qualifying confirmation visit); both programs go on "
        "from that of the window listed first (R/MSprog.R and pymsprog/__init__.py, MSprog, conf_idx by names of conf_t, and newref)",
        lambda args: isinstance(args.get("conf_days"), list),
        scan=FirstListedWindowScan,
    ),
    Quirk(
        "stale relapse",
        "the baseline moves by the first relapse after it; msprog keeps the index of the relapse that was next before the baseline moved "
        "(R/MSprog.R, MSprog, irel, set before the search and read after it)",
        lambda args: bool(args.get("relapse_rebl")),
        scan=StaleRelapseScan,
    ),
    Quirk(
        "small candidates with a baseline that does not move",
        "changes below the threshold matter only in a direction in which the baseline moves (its text: only used if the baseline is not "
        "fixed); msprog lets them act with a fixed one (R/MSprog.R, MSprog, sub_threshold_rebl at change_idx)",
        lambda args: args.get("sub_threshold_rebl", "none") != "none",
        scan=SmallCandidateScan,
    ),
    Quirk(
        "first event sought until there are two",
        "the scan ends at the first event found (their text: only the very first confirmed event); both programs test for more than one "
        "(R/MSprog.R and pymsprog/__init__.py, MSprog, event 'first' and the length of events)",
        lambda args: args.get("event") == "first",
        scan=UntilTwoScan,
    ),
)


def explained_by(
    record: Record, definition: Definition, args: dict[str, Any], is_peer_answer: Callable[[Answer], bool]
) -> tuple[Quirk, ...] | None:
    """Return the fewest habits (up to three) with which our scan gives the peer's answer; None where none do."""
    usable = [quirk for quirk in QUIRKS if quirk.applies(args)]
    for size in (1, 2, 3):
        for habits in itertools.combinations(usable, size):
            if is_peer_answer(scan_with(habits, record, definition)):
                return habits
    return None


def scan_with(habits: Sequence[Quirk], record: Record, definition: Definition) -> Answer:
    """Return what the reference engine finds with some habits added."""
    from smoulder.engine.telling import Teller

    for habit in habits:
        record = habit.record(record, definition)
    bases = tuple(dict.fromkeys(habit.scan for habit in habits if habit.scan is not Scan)) or (Scan,)
    kind = type("WithHabits", bases, {})
    return kind(record, definition.measures[0], definition, Teller()).run()
