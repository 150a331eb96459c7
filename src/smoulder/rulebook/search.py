"""What a definition is looked up by: what it finds, whether what decides is known, and where it was published."""

from __future__ import annotations

import unicodedata
from typing import Literal, get_args

from smoulder.rulebook.model import Definition, Source

Outcome = Literal["worsening", "improvement", "PIRA", "RAW"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_WHAT_IS_FOUND: dict[str, tuple[Outcome, ...]] = {
    "every event": OUTCOMES,
    "first event": OUTCOMES,
    "first worsening": ("worsening", "PIRA", "RAW"),
    "first improvement": ("improvement",),
    "first PIRA": ("worsening", "PIRA"),
    "first RAW": ("worsening", "RAW"),
}


def outcomes(definition: Definition) -> tuple[Outcome, ...]:
    """Return what a definition looks for, in the order of `OUTCOMES`."""
    found = set(_WHAT_IS_FOUND[definition.looking_for])
    relapses = definition.relapses
    if not definition.finds_improvement:
        found.discard("improvement")
    if all(rule.worsening.counts_nothing for rule in definition.measures):
        found -= {"worsening", "PIRA", "RAW"}
    if relapses is None:
        found -= {"PIRA", "RAW"}
    elif relapses.raw is None and not relapses.raw_in and relapses.otherwise != "RAW":
        found.discard("RAW")
    return tuple(outcome for outcome in OUTCOMES if outcome in found)


def deciding(definition: Definition) -> tuple[str, ...]:
    """Return the settings that decide most: thresholds, confirmation windows and, where events are labelled, relapse intervals."""
    direction = "worsening" if "worsening" in outcomes(definition) else "improvement"
    thresholds = tuple(f"{rule.measure}.{direction}" for rule in definition.measures)
    intervals = ("relapses.raw", "relapses.relapse_free") if definition.labelled else ()
    return (*thresholds, "confirmation.windows", *intervals)


def is_verified(definition: Definition) -> bool:
    """Return whether every setting of `deciding` was read in the source or taken from a program, and none assumed."""
    return set(deciding(definition)) <= {*definition.source.seen, *definition.source.code}


def is_about(text: str, source: Source, *more: str) -> bool:
    """Return whether citation, DOI or another text has some words; capitals and accents make no difference."""
    return any(_plain(text) in _plain(where) for where in (source.citation, source.doi, *more))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
