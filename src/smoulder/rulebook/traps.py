"""Where a definition is known to mislead, told before anybody counts on it."""

from __future__ import annotations

from typing import Literal

from smoulder.rulebook.model import Definition
from smoulder.rulebook.parts import days_text
from smoulder.rulebook.relapse import Interval, RelapseRule


def traps(definition: Definition) -> tuple[str, ...]:
    """Return a sentence for each known trap that a definition allows; empty where there is none."""
    return tuple(
        sentence
        for sentence in (
            _plateau(definition),
            _raw_never(definition),
            _counted_again(definition),
            _erased(definition),
            _crept(definition),
            _came_back(definition),
            _swallowed(definition),
            _look_ahead(definition),
            _unbounded(definition),
            _unconfirmed(definition),
            _at_the_last_visit(definition),
            _previous_visit(definition),
        )
        if sentence
    )


def _plateau(definition: Definition) -> str:
    """The plateau that a RAW leaves is found again as PIRA (peers: 89 of 293 first "PIRA" in one cohort)."""
    base = definition.baseline
    if not definition.labelled or definition.looking_for in ("first worsening", "first improvement", "first RAW", "first event"):
        return ""
    if "worsening" in base.moves_after or base.start == "previous visit" or definition.carried is not None:
        return ""
    if any(_spans_the_step(interval) for interval in (definition.relapses.relapse_free if definition.relapses else ())):
        return ""
    if "relapse" in base.moves_after:
        return _plateau_before_the_move(definition)
    return (
        "The baseline does not move after a RAW: once the relapse is long enough ago, the disability that it left behind is met again "
        "and called PIRA (89 of 293 first PIRA in one made-up cohort of 500). Let the baseline move after worsening or relapses, or "
        "ask for no relapse since the baseline."
    )


def _plateau_before_the_move(definition: Definition) -> str:
    """Relapses move the baseline, but a visit may still be compared with the score before the relapse when it can be PIRA already."""
    first = _days_to_pira(definition)
    if definition.crossed_days < first:
        return ""
    return (
        f"Up to {days_text(definition.crossed_days)} after a relapse a visit is still compared with the score before it, and from "
        f"{days_text(first)} after it on a worsening may be PIRA: in between, the disability that the relapse left behind is met again "
        f"and called PIRA. Let the baseline move after worsening too{f', or let crossed_days be at most {first - 1}' if first > 1 else ''}."
    )


def _days_to_pira(definition: Definition) -> int:
    """Return the fewest days after a relapse at which a worsening that was met before, and was no PIRA, may be met again and be PIRA."""
    # Onset may be no nearer, and the search goes on after the first onset; or after its confirming visit, where it goes on there.
    first = max(1, definition.onset.days_after_relapse)
    confirm = definition.confirmation
    goes_on_later = definition.looking_for == "every event" and definition.baseline.moves_to == "confirmation"
    if goes_on_later and confirm.windows:
        first = max(first, 1 + confirm.days_after_relapse, 1 + min(window.from_day for window in confirm.windows))
    rule = definition.relapses or RelapseRule()
    not_pira = [*rule.relapse_free, *(rule.raw_in if rule.exclusive else ())]
    spans = [span for interval in not_pira if (span := _days_before_onset(interval)) is not None]
    spans += [(0, rule.raw.days_before_onset)] if rule.raw is not None and rule.exclusive else []
    for nearest, furthest in sorted(spans):
        if nearest <= first <= furthest:
            first = furthest + 1
    return first


def _days_before_onset(interval: Interval) -> tuple[int, int] | None:
    """Return at least and at most how many days before onset a relapse lies in an interval; None where that hangs on the visits."""
    if interval.start not in ("previous visit", "onset") or interval.end == "previous visit":
        return None
    gap = 1 if interval.start == "previous visit" else 0
    return max(0, -interval.end_days), gap - interval.start_days


def _spans_the_step(interval: Interval) -> bool:
    """Return whether an interval holds every day from the score before the worsening to its onset, so that no RAW plateau passes it."""
    from_before = interval.start in ("baseline", "last meaningful visit") and interval.start_days <= 0
    return from_before and (interval.is_late or (interval.end == "onset" and interval.end_days >= 0))


def _raw_never(definition: Definition) -> str:
    """Where onset must keep further from relapses than RAW reaches, nothing is RAW and its plateau is met later."""
    rule, days = definition.relapses, definition.onset.days_after_relapse
    if rule is None or rule.raw is None or days <= rule.raw.days_before_onset or "relapse" in definition.baseline.moves_after:
        return ""
    if any(_spans_the_step(interval) for interval in rule.relapse_free):
        return ""
    return (
        f"Onset must be at least {days} days after a relapse and RAW reaches only {rule.raw.days_before_onset}: no worsening after a "
        "relapse can be RAW, and the disability that it leaves behind is met again later and called PIRA."
    )


def _previous_visit(definition: Definition) -> str:
    if definition.baseline.start != "previous visit":
        return ""
    return (
        "Every visit is compared with the one before it: a return to the old score after one good day is a worsening, and a slow rise by "
        "steps below the threshold never is."
    )


def _at_the_last_visit(definition: Definition) -> str:
    if definition.last_visit.worsening != "counted":
        return ""
    return (
        "A worsening that no later visit could confirm counts all the same; of such worsenings seen earlier, part did not last, and short "
        "follow-up has more of them."
    )


def _counted_again(definition: Definition) -> str:
    """With a baseline that stays, one lasting change is met again at every later visit."""
    worsening, improvement = (_met_again(definition, kind) for kind in ("worsening", "improvement"))
    if not worsening and not improvement:
        return ""
    if not worsening:
        return (
            "Every event is looked for, and the baseline does not move after an improvement: as long as it lasts, the same improvement is "
            "found and counted again. Let the baseline move after improvement, or let none count: improvement = { steps = [{}] }."
        )
    also = "; so is a lasting improvement" if improvement else ""
    return (
        "Every event is looked for, and the baseline does not move after a worsening: as long as the disability lasts, the same "
        f"worsening is found and counted again{also}. Let the baseline move after {'both' if improvement else 'worsening'}, or look for "
        "the first worsening."
    )


def _met_again(definition: Definition, kind: Literal["worsening", "improvement"]) -> bool:
    """Return whether a change that counts leaves the baseline where it is, so that the next visit shows it again."""
    moves = set(definition.baseline.moves_after)
    if definition.looking_for != "every event" or definition.baseline.start == "previous visit" or definition.carried is not None:
        return False
    if kind == "improvement":
        return definition.finds_improvement and "improvement" not in moves
    counts = any(not rule.worsening.counts_nothing for rule in definition.measures)
    return counts and "worsening" not in moves and not {"PIRA", "relapse"} <= moves


def _erased(definition: Definition) -> str:
    """A worsening first seen long after a relapse becomes the new reference and is no event (X6)."""
    base, carried = definition.baseline, definition.carried
    if carried is not None:
        erases = carried.after_relapse != "stays" and carried.second_reference == "no"
        when = "at the first visit past the RAW window of a relapse"
    else:
        erases = "relapse" in base.moves_after
        when = f"more than {definition.crossed_days} days after a relapse"
    if not erases:
        return ""
    return (
        f"A worsening that is first seen {when} is taken into the new reference: it is no event at all, neither RAW nor PIRA, and the "
        "fewer the visits, the more of it is lost."
    )


def _crept(definition: Definition) -> str:
    """Steps below the threshold take the reference with them, so that they never add up."""
    if definition.baseline.sub_threshold not in ("worsening", "both"):
        return ""
    return (
        "A confirmed worsening smaller than the threshold moves the reference: a slow worsening by such steps is taken into it and is no "
        "event, however far it goes."
    )


def _came_back(definition: Definition) -> str:
    """A worsening that was not sustained has moved the reference when the same disability comes back to stay."""
    base, sustained = definition.baseline, definition.sustained
    if not base.unsustained_moves or sustained.kinds == "improvement" or not {"worsening", "PIRA"} & set(base.moves_after):
        return ""
    return (
        "A worsening that is confirmed and not sustained is no event and moves the reference all the same: where the disability comes back "
        "to stay, it is no worse than the new reference and no event either."
    )


def _swallowed(definition: Definition) -> str:
    """The reference of the confirming visit already holds a second step (X19)."""
    base = definition.baseline
    # A search for the first of one label goes on after worsening of another, and so does the one that moves the baseline.
    goes_on_after = {
        "every event": {"worsening", "PIRA"},
        "first PIRA": {"worsening"},
        "first RAW": {"worsening", "PIRA"},
    }.get(definition.looking_for, set())
    if base.moves_to != "confirmation" or not goes_on_after & set(base.moves_after) or not definition.confirmation.windows:
        return ""
    return (
        "The baseline moves to the confirming visit: a second step between onset and that visit is taken into the new reference and is no "
        "event of its own."
    )


def _unconfirmed(definition: Definition) -> str:
    if definition.confirmation.windows:
        return ""
    return "Nothing has to be confirmed: a single worse score counts, so part of what is found is the ordinary swing of the score."


def _look_ahead(definition: Definition) -> str:
    if definition.sustained.days != "to the end":
        return ""
    return "Sustained to the end of follow-up looks into the future: the same patient may lose an event by being followed longer."


def _unbounded(definition: Definition) -> str:
    if definition.confirmation.at is not None or all(window.to_day is not None for window in definition.confirmation.windows):
        return ""
    return "Confirmation has no upper bound: a visit years later may confirm, and sparse visits confirm more easily."
