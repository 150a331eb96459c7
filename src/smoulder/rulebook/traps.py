"""Where a definition is known to mislead, told before anybody counts on it."""

from __future__ import annotations

from smoulder.rulebook.model import Definition


def traps(definition: Definition) -> tuple[str, ...]:
    """Return a sentence for each known trap that a definition allows; empty where there is none."""
    return tuple(
        sentence
        for sentence in (_plateau(definition), _counted_again(definition), _look_ahead(definition), _unbounded(definition))
        if sentence
    )


def _plateau(definition: Definition) -> str:
    """The plateau that a RAW leaves is found again as PIRA (peers: 89 of 293 first "PIRA" in one cohort)."""
    base = definition.baseline
    if not definition.labelled or definition.looking_for in ("first worsening", "first improvement", "first RAW", "first event"):
        return ""
    if "worsening" in base.moves_after or "relapse" in base.moves_after:
        return ""
    if any(interval.start == "baseline" for interval in (definition.relapses.relapse_free if definition.relapses else ())):
        return ""
    return (
        "The baseline does not move after a RAW: once the relapse is long enough ago, the disability that it left behind is met again "
        "and called PIRA. Let the baseline move after worsening or relapses, or ask for no relapse since the baseline."
    )


def _counted_again(definition: Definition) -> str:
    """With a baseline that stays, one lasting worsening is met again at every later visit."""
    moves = set(definition.baseline.moves_after)
    if definition.looking_for != "every event" or "worsening" in moves or {"PIRA", "relapse"} <= moves:
        return ""
    return (
        "Every event is looked for, and the baseline does not move after a worsening: as long as the disability lasts, the same "
        "worsening is found and counted again. Let the baseline move after worsening, or look for the first worsening."
    )


def _look_ahead(definition: Definition) -> str:
    if definition.sustained.days != "to the end":
        return ""
    return "Sustained to the end of follow-up looks into the future: the same patient may lose an event by being followed longer."


def _unbounded(definition: Definition) -> str:
    if all(window.to_day is not None for window in definition.confirmation.windows):
        return ""
    return "Confirmation has no upper bound: a visit years later may confirm, and sparse visits confirm more easily."
