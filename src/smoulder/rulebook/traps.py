"""Where a definition is known to mislead, told before anybody counts on it."""

from __future__ import annotations

from smoulder.rulebook.model import Definition


def traps(definition: Definition) -> tuple[str, ...]:
    """Return a sentence for each known trap that a definition allows; empty where there is none."""
    return tuple(
        sentence
        for sentence in (
            _plateau(definition),
            _counted_again(definition),
            _erased(definition),
            _look_ahead(definition),
            _unbounded(definition),
            _unconfirmed(definition),
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
    if any(interval.start == "baseline" for interval in (definition.relapses.relapse_free if definition.relapses else ())):
        return ""
    return (
        "The baseline does not move after a RAW: once the relapse is long enough ago, the disability that it left behind is met again "
        "and called PIRA (89 of 293 first PIRA in one made-up cohort of 500). Let the baseline move after worsening or relapses, or "
        "ask for no relapse since the baseline."
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
