"""Where a definition is known to mislead, told before anybody counts on it."""

from __future__ import annotations

from smoulder.rulebook.model import Definition
from smoulder.rulebook.relapse import Interval


def traps(definition: Definition) -> tuple[str, ...]:
    """Return a sentence for each known trap that a definition allows; empty where there is none."""
    return tuple(
        sentence
        for sentence in (
            _plateau(definition),
            _raw_never(definition),
            _counted_again(definition),
            _erased(definition),
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
    if "worsening" in base.moves_after or "relapse" in base.moves_after or base.start == "previous visit" or definition.carried is not None:
        return ""
    if any(_spans_the_step(interval) for interval in (definition.relapses.relapse_free if definition.relapses else ())):
        return ""
    return (
        "The baseline does not move after a RAW: once the relapse is long enough ago, the disability that it left behind is met again "
        "and called PIRA (89 of 293 first PIRA in one made-up cohort of 500). Let the baseline move after worsening or relapses, or "
        "ask for no relapse since the baseline."
    )


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
    """With a baseline that stays, one lasting worsening is met again at every later visit."""
    moves = set(definition.baseline.moves_after)
    if all(rule.worsening.counts_nothing for rule in definition.measures):
        return ""
    if definition.looking_for != "every event" or "worsening" in moves or {"PIRA", "relapse"} <= moves:
        return ""
    if definition.baseline.start == "previous visit" or definition.carried is not None:
        return ""
    return (
        "Every event is looked for, and the baseline does not move after a worsening: as long as the disability lasts, the same "
        "worsening is found and counted again. Let the baseline move after worsening, or look for the first worsening."
    )


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
